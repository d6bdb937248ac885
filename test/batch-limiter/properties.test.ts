import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { Cost, Limit, Permit } from "../../src/batch/index.ts";
import { RateLimiter } from "../../src/batch/index.ts";
import { createRandom } from "../../src/core/random.ts";
import type { Ms } from "../../src/core/units.ts";
import { type Lateness, SteppingClock } from "./support/stepping-clock.ts";
import { type Counted, fitsBucket, mostInAnyWindow } from "./support/windows.ts";

interface Ask {
  readonly gap: Ms;
  readonly tokens: number;
  /** Gives up after so long. */
  readonly patience: Ms | undefined;
}

interface Plan {
  readonly limits: readonly Limit[];
  readonly guardMs: Ms;
  readonly asks: readonly Ask[];
  readonly seed: number;
}

interface Sent {
  readonly cost: Cost;
  readonly at: Ms;
}

const limit = fc
  .record({
    unit: fc.constantFrom("requests" as const, "tokens" as const),
    amount: fc.integer({ min: 1, max: 12 }),
    windowMs: fc.constantFrom(400, 1_000, 3_000, 10_000),
    depth: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  })
  .map(({ unit, amount, windowMs, depth }): Limit => {
    const scale = unit === "tokens" ? 100 : 1;
    // A bucket that a request does not fit into would never take it, so those of tokens hold the largest one.
    const burst = depth === undefined ? undefined : Math.max(unit === "tokens" ? 100 : 1, depth * scale);
    return { name: "random", unit, amount: amount * scale, windowMs, burst };
  });

const asks = fc.array(
  fc.record<Ask>({
    gap: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 500, max: 6_000 })),
    tokens: fc.integer({ min: 0, max: 100 }),
    patience: fc.option(fc.integer({ min: 0, max: 3_000 }), { nil: undefined, freq: 5 }),
  }),
  { minLength: 1, maxLength: 40 },
);

const plans = fc.record<Plan>({
  limits: fc.array(limit, { minLength: 1, maxLength: 3 }),
  guardMs: fc.constantFrom(0, 20, 100),
  asks,
  seed: fc.nat(2 ** 31),
});

/** Asks as planned. Returns what went out, in the order of asking. */
async function play(plan: Plan, clock: SteppingClock): Promise<readonly Sent[]> {
  const limiter = new RateLimiter({ limits: plan.limits, guardMs: plan.guardMs, clock });
  const outcomes: Promise<Sent | undefined>[] = [];
  const admitted: number[] = [];
  let at = 0;
  for (const [index, { gap, tokens, patience }] of plan.asks.entries()) {
    at += gap;
    const cost: Cost = { requests: 1, tokens };
    const ask = async (from: Ms): Promise<Sent | undefined> => {
      await clock.until(from);
      const giveUp = new AbortController();
      const cancel = patience === undefined ? undefined : clock.at(from + patience, () => giveUp.abort());
      try {
        const permit = await limiter.acquire(cost, { signal: giveUp.signal });
        admitted.push(index);
        permit.settle();
        return { cost, at: permit.at };
      } catch (error) {
        if (error === giveUp.signal.reason) return undefined;
        throw error;
      } finally {
        cancel?.();
      }
    };
    outcomes.push(ask(at));
  }
  await clock.play();
  const sent = (await Promise.all(outcomes)).filter((one) => one !== undefined);
  expect(admitted).toEqual(admitted.toSorted((a, b) => a - b));
  expect(limiter.stats()).toMatchObject({ sent: sent.length, waiting: 0, inFlight: 0 });
  limiter.close();
  expect(clock.pending).toBe(0);
  return sent;
}

/** What a limit counts of them, each so much later than it went out. */
function arrivals(sent: readonly Sent[], { unit }: Limit, delay: (send: Sent) => Ms): readonly Counted[] {
  return sent.map((send) => ({ at: send.at + delay(send), amount: send.cost[unit] }));
}

function expectWithin(plan: Plan, sent: readonly Sent[], delay: (send: Sent) => Ms): void {
  for (const limit of plan.limits) {
    const counted = arrivals(sent, limit, delay);
    expect(mostInAnyWindow(counted, limit.windowMs)).toBeLessThanOrEqual(limit.amount);
    // Any bucket as large as the limit is held by its windows.
    expect(fitsBucket(counted, { ...limit, burst: limit.burst ?? limit.amount })).toBe(true);
  }
}

test("no window and no bucket of any limit is exceeded, whatever is asked, however late timers are, as long as the guard covers the jitter", async () => {
  await fc.assert(
    fc.asyncProperty(plans, fc.constantFrom(0, 3, 40, 2_000), async (plan, latest) => {
      const random = createRandom(plan.seed);
      const late: Lateness = (due) => due + (random() < 0.5 ? 0 : random() * latest);
      const sent = await play(plan, new SteppingClock(late));
      expectWithin(plan, sent, () => random() * plan.guardMs);
    }),
    { numRuns: 600 },
  );
});

test("a process that stands still between a permit and its writing exceeds nothing either, if half the guard covers the way", async () => {
  const stalls = fc.array(
    fc.record({ gap: fc.integer({ min: 1, max: 1_500 }), length: fc.integer({ min: 1, max: 3_000 }) }),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  await fc.assert(
    fc.asyncProperty(plans, stalls, async (plan, stalls) => {
      fc.pre(plan.guardMs > 0);
      let from = 0;
      const still = stalls.map(({ gap, length }): readonly [Ms, Ms] => {
        const begin = from + gap;
        from = begin + length;
        return [begin, from];
      });
      const whenAwake = (at: Ms): Ms => still.find(([begin, end]) => at > begin && at < end)?.[1] ?? at;
      const random = createRandom(plan.seed);
      const sent = await play(plan, new SteppingClock(whenAwake, whenAwake));
      // It takes a moment to get to writing, and then the process may stand still.
      const written = (send: Sent): Ms => whenAwake(send.at + random() * (plan.guardMs / 4));
      expectWithin(plan, sent, (send) => written(send) - send.at + random() * (plan.guardMs / 2));
    }),
    { numRuns: 600 },
  );
});

/** Sends and counts so many requests, each of which is answered. Returns the counts and when the last one went out. */
async function playAnswered(
  limiter: RateLimiter,
  clock: SteppingClock,
  { count, there, back }: { count: number; there: (index: number) => Ms; back: () => Ms },
): Promise<{ readonly counted: readonly Counted[]; readonly lastAt: Ms }> {
  const counted: Counted[] = [];
  let lastAt = 0;
  const call = async (index: number): Promise<void> => {
    using permit = await limiter.acquire();
    lastAt = permit.at;
    await clock.until(permit.at + there(index));
    counted.push({ at: clock.now(), amount: 1 });
    await clock.until(clock.now() + back());
    limiter.observe({ status: 200, headers: {} }, permit);
  };
  const calls = Promise.all(Array.from({ length: count }, (_, index) => call(index)));
  await clock.play();
  await calls;
  limiter.close();
  return { counted, lastAt };
}

test("an answer ends the guard of its request, and nothing is exceeded by that", async () => {
  const setting = fc.record({
    amount: fc.integer({ min: 1, max: 12 }),
    windowMs: fc.constantFrom(400, 1_000),
    guardMs: fc.constantFrom(0, 20, 100),
    quick: fc.constantFrom(0, 1, 30, 300),
    seed: fc.nat(2 ** 31),
  });
  await fc.assert(
    fc.asyncProperty(setting, async ({ amount, windowMs, guardMs, quick, seed }) => {
      const clock = new SteppingClock();
      const random = createRandom(seed);
      const limit: Limit = { name: "random", unit: "requests", amount, windowMs, burst: undefined };
      const limiter = new RateLimiter({ limits: [limit], guardMs, clock });
      const ways = { there: () => random() * guardMs, back: () => random() * quick };
      const { counted, lastAt } = await playAnswered(limiter, clock, { count: 60, ...ways });
      expect(mostInAnyWindow(counted, windowMs)).toBeLessThanOrEqual(amount);
      expect(lastAt).toBeLessThanOrEqual((Math.ceil(60 / amount) - 1) * (windowMs + guardMs) + 1e-6);
    }),
    { numRuns: 300 },
  );
});

test("a server that answers at once is taken at its word: no guard is lost, and a request that is stuck is waited for", async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const clock = new SteppingClock();
    const random = createRandom(seed);
    const limiter = new RateLimiter({ limits: ["20/s"], clock });
    // One in twenty takes up to a quarter of the window, five times the guard, once it is known how quick the server is.
    const there = (index: number): Ms => (index > 80 && random() < 0.05 ? random() * 249 : random() * 4);
    const { counted, lastAt } = await playAnswered(limiter, clock, { count: 820, there, back: () => 1 });
    expect(mostInAnyWindow(counted, 1_000)).toBeLessThanOrEqual(20);
    // 40 windows of 1,050 ms would be 42 s.
    expect(lastAt).toBeLessThan(41_700);
  }
});

/** The law, from the whole list of what went out: the earliest instant from `from` on that every limit allows. */
function earliest(sent: readonly Sent[], cost: Cost, from: Ms, { limits, guardMs }: Plan): Ms {
  const allowed = (at: Ms): boolean =>
    limits.every((limit) => {
      const { unit, amount, windowMs } = limit;
      if (cost[unit] === 0) return true;
      const inside = sent.filter((send) => send.at + windowMs + guardMs > at + 1e-7);
      const sum = inside.reduce((sum, send) => sum + send.cost[unit], 0);
      return sum + cost[unit] <= amount && at >= bucketDue(sent, cost, limit, guardMs) - 1e-7;
    });
  const instants = [from];
  for (const limit of limits) {
    for (const { at } of sent) instants.push(at + limit.windowMs + guardMs);
    instants.push(bucketDue(sent, cost, limit, guardMs));
  }
  return (
    instants
      .filter((at) => at >= from)
      .sort((a, b) => a - b)
      .find(allowed) ?? Infinity
  );
}

/** s[j] ≥ s[i] + (costs from i to j − burst) · window / N + guard, for every i. */
function bucketDue(sent: readonly Sent[], cost: Cost, { unit, amount, windowMs, burst }: Limit, guardMs: Ms): Ms {
  if (burst === undefined || burst >= amount) return -Infinity;
  let sum = cost[unit];
  let due = -Infinity;
  for (const send of sent.toReversed()) {
    if (send.cost[unit] === 0) continue;
    sum += send.cost[unit];
    due = Math.max(due, send.at + ((sum - burst) * windowMs) / amount + guardMs);
  }
  return due;
}

test("nobody waits longer than the law asks: every request goes out when a slow twin lets it", async () => {
  const exact = plans.filter(({ limits }) =>
    limits.every(({ windowMs, burst }) => windowMs <= 1_000 || burst !== undefined),
  );
  await fc.assert(
    fc.asyncProperty(exact, async (plan) => {
      const patient = { ...plan, asks: plan.asks.map((ask) => ({ ...ask, patience: undefined })) };
      const sent = await play(patient, new SteppingClock());
      const twin: Sent[] = [];
      let asked = 0;
      for (const [index, { gap }] of patient.asks.entries()) {
        asked += gap;
        const cost = { requests: 1, tokens: patient.asks[index]?.tokens ?? 0 };
        const at = earliest(twin, cost, Math.max(asked, twin.at(-1)?.at ?? 0), patient);
        twin.push({ cost, at });
        expect(sent[index]?.at).toBeCloseTo(at, 5);
      }
    }),
    { numRuns: 600 },
  );
});

test("a limit over a second whose burst nobody tells is spread evenly, and loses no more than its guard", async () => {
  const clock = new SteppingClock();
  const limiter = new RateLimiter({ limits: ["600/m"], guardMs: 60, clock });
  const permits = Promise.all(Array.from({ length: 1_000 }, () => limiter.acquire()));
  await clock.play();
  const times = (await permits).map(({ at }) => at);
  for (const [index, at] of times.entries()) expect(at).toBeCloseTo(index * 100.1, 4);
  limiter.close();
});

test("never are more permits out than the concurrency allows, and a settled one lets the next out at once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.nat(300), { maxLength: 60 }),
      async (most, durations) => {
        const clock = new SteppingClock();
        const limiter = new RateLimiter({ limits: ["1000/s"], concurrency: most, clock });
        const spans: { from: Ms; until: Ms }[] = [];
        const work = durations.map(async (duration) => {
          const permit: Permit = await limiter.acquire();
          await clock.until(permit.at + duration);
          spans.push({ from: permit.at, until: clock.now() });
          permit.settle();
        });
        await clock.play();
        await Promise.all(work);
        for (const { from } of spans) {
          const open = spans.filter((span) => span.from <= from && span.until > from);
          expect(open.length).toBeLessThanOrEqual(most);
        }
        // A worker pool of that size takes exactly as long.
        const free = Array.from({ length: most }, () => 0);
        for (const duration of durations) {
          free.sort((a, b) => a - b);
          free[0] = (free[0] ?? 0) + duration;
        }
        expect(Math.max(0, ...spans.map(({ until }) => until))).toBe(Math.max(...free));
        limiter.close();
      },
    ),
    { numRuns: 100 },
  );
});
