import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Shares } from "../../src/core/shares/shares.ts";
import { POOL, type SharesConfig } from "../../src/core/shares/types.ts";
import type { Ms } from "../../src/core/units.ts";
import { idealShares } from "../simulation/shares-ideal.ts";
import { FairShares, type Limiter, TwoModeWindow } from "../simulation/shares-limiters.ts";
import { countIn, simulate, type Source } from "../simulation/shares-simulator.ts";
import { type Asked, type Bounds, configs, type Move, offer, takeAll, type Trace, traces } from "./shares-moves.ts";
import { SharesTwin } from "./shares-twin.ts";

const TINY = 1e-6;
const MICROSECOND: Ms = 0.001;

/** Plays the moves while `askers` always ask, in turn. After each move, `seen` is told what each of them has got. */
function besideAskers(
  { config, moves }: Trace,
  askers: readonly Asked[],
  seen: (got: readonly number[], shares: Shares, now: Ms) => void,
): void {
  const shares = new Shares(config, 0);
  const got = askers.map(() => 0);
  const stepMs = 6_000 / config.unitsPerMinute;
  const ask = (now: Ms): void => {
    for (const [index, asked] of askers.entries()) {
      got[index] = (got[index] ?? 0) + takeAll(shares, asked, now);
    }
  };
  let now = 0;
  ask(now);
  for (const move of moves) {
    for (const end = now + move.afterMs; now < end; ask(now)) now = Math.min(end, now + stepMs);
    offer(shares, move, now);
    ask(now);
    seen(got, shares, now);
  }
}

/** How far the values have been apart from their first one, at most, in both directions together. */
function spread(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}

describe("the shares, among those who always ask", () => {
  test("5: two shares get units in the ratio of their weights, within one grain of each, in every interval", () => {
    fc.assert(
      fc.property(traces({ meter: false, groups: false }), ({ config, moves }) => {
        const [first, second] = config.reservations;
        fc.pre(first !== undefined && second !== undefined);
        const askers = [first, second].map(({ name }) => ({ share: name, member: "", cost: 1 }));
        const others = moves.filter(({ share }) => share !== first.name && share !== second.name);
        const apart: number[] = [];
        besideAskers({ config, moves: others }, askers, ([one = 0, two = 0]) => {
          apart.push(one / first.fraction - two / second.fraction);
        });
        fc.pre(apart.length > 0);
        const weight = new SharesTwin(config).shares[0]?.weight ?? Number.NaN;
        const perFraction = first.fraction / weight;
        expect(spread(apart)).toBeLessThanOrEqual(
          (1 / first.fraction + 1 / second.fraction) * Math.max(1, perFraction) + TINY,
        );
      }),
      { numRuns: 50 },
    );
  });

  test("5: two members of a group get the same, within one grain of each, in every interval once they are level", () => {
    fc.assert(
      fc.property(traces({ meter: false }), ({ config, moves }) => {
        const askers = ["me", "you"].map((member) => ({ share: POOL, member, cost: 1 }));
        const apart: number[] = [];
        besideAskers({ config, moves }, askers, ([one = 0, two = 0], shares, now) => {
          // Who came first has a burst more, until the other one has caught up.
          const ahead = shares.deficitOf(POOL, "me", now) - shares.deficitOf(POOL, "you", now);
          if (apart.length > 0 || Math.abs(ahead) <= 1) apart.push(one - two);
        });
        fc.pre(apart.length > 0);
        // A tenth of a grain flows between two questions.
        expect(spread(apart)).toBeLessThanOrEqual(2 + 0.2);
      }),
      { numRuns: 50 },
    );
  });

  test("5: with steady demand everybody gets exact weighted max–min, within 2 % and four grains", () => {
    const demand = fc.integer({ min: 1, max: 150 }).map((percent) => percent / 100);
    const demands = fc.array(demand, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        configs({ meter: false, minCapacity: 600 }),
        fc.array(demands, { minLength: 5, maxLength: 5 }),
        (random, all) => {
          const config = { ...random, unitsPerMinute: 600 + (random.unitsPerMinute % 1_000), burstSeconds: 10 };
          const { unitsPerMinute } = config;
          const twin = new SharesTwin(config);
          // A bucket of a few grains is coarse when three members share it, or when it borrows the whole capacity.
          fc.pre(twin.shares.every(({ weight }) => weight >= 0.1));
          const groups = twin.shares.map(({ weight, group }, index) => ({
            weight,
            demands: (all[index] ?? []).slice(0, group ? 3 : 1).map((part) => part * unitsPerMinute),
          }));
          const got = admittedPerMinute(
            config,
            groups.map(({ demands }) => demands),
          );
          for (const [share, members] of idealShares(unitsPerMinute, groups).entries()) {
            for (const [member, ideal] of members.entries()) {
              expect(Math.abs((got[share]?.[member] ?? 0) - ideal)).toBeLessThanOrEqual(
                0.02 * ideal + 4 / MEASURED_MINUTES,
              );
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});

const MEASURED_MINUTES = 10;

/** What each member of each share is admitted, when all ask steadily; after two minutes to settle. */
function admittedPerMinute(config: SharesConfig, demands: readonly (readonly number[])[]): number[][] {
  const shares = new Shares(config, 0);
  const names = [...config.reservations.map(({ name }) => name), POOL];
  const streams = demands.flatMap((members, share) =>
    members.map((perMinute, member) => ({
      share,
      member,
      everyMs: 60_000 / perMinute,
      next: 1 + 7 * share + 3 * member,
    })),
  );
  const got = demands.map((members) => members.map(() => 0));
  const startMs = 2 * 60_000;
  for (;;) {
    const stream = streams.reduce((first, other) => (other.next < first.next ? other : first));
    if (stream.next >= startMs + MEASURED_MINUTES * 60_000) break;
    const asked = { share: names[stream.share] ?? POOL, member: `m${stream.member}`, cost: 1 };
    const isIn = offer(shares, asked, stream.next).kind !== "over";
    const row = got[stream.share] ?? [];
    if (isIn && stream.next >= startMs) row[stream.member] = (row[stream.member] ?? 0) + 1;
    stream.next += stream.everyMs;
  }
  return got.map((members) => members.map((count) => count / MEASURED_MINUTES));
}

describe("retryMs", () => {
  interface Refused {
    /** The shares and their twin as the refused request found them. */
    readonly shares: Shares;
    readonly twin: SharesTwin;
    readonly asked: Move;
    readonly perMs: number;
    readonly at: Ms;
    readonly retryMs: Ms;
  }

  /** Somebody asks until it is refused, at random times, while nobody else of its group pays instalments. */
  function* refusals(bounds: Bounds): Generator<Refused> {
    for (const { config, moves } of fc.sample(traces({ ...bounds, meter: false }), { seed: 8, numRuns: 500 })) {
      for (const last of [moves.length / 4, moves.length / 2, moves.length - 1].map(Math.floor)) {
        const shares = new Shares(config, 0);
        const twin = new SharesTwin(config);
        let at = 0;
        for (const move of moves.slice(0, last)) {
          at += move.afterMs;
          offer(shares, move, at);
          twin.offer(move.share, move.member, move.cost, at);
        }
        const asked = moves[last];
        if (asked === undefined) continue;
        takeAll(shares, asked, at);
        while (twin.offer(asked.share, asked.member, asked.cost, at) !== "over");
        const verdict = shares.check(asked.share, asked.member, asked.cost, at);
        if (verdict.kind !== "over" || doOthersOwe(twin, asked)) continue;
        yield { shares, twin, asked, perMs: config.unitsPerMinute / 60_000, at, retryMs: verdict.retryMs };
      }
    }
  }

  function doOthersOwe({ shares }: SharesTwin, asked: Move): boolean {
    const members = shares.find(({ name }) => name === asked.share)?.members ?? [];
    return members.some(({ name, owed }) => owed > 0 && name !== asked.member);
  }

  function hungry({ shares }: SharesTwin): string {
    return shares.flatMap(({ members }) => members.map(({ deficit }) => Number(deficit > 0))).join();
  }

  test.each<{ requests: string; bounds: Bounds }>([
    { requests: "of one grain", bounds: {} },
    { requests: "of any size", bounds: { maxCost: 40 } },
  ])("8: refused 1 µs before and admitted 1 µs after, 300 of 300 random refusals $requests", ({ bounds }) => {
    let tried = 0;
    let exact = 0;
    for (const { shares, twin, asked, at, retryMs } of refusals(bounds)) {
      const before = hungry(twin);
      twin.advance(at + retryMs - MICROSECOND);
      // It is exact while nobody becomes full.
      if (hungry(twin) !== before) continue;
      const early = shares.check(asked.share, asked.member, asked.cost, at + retryMs - MICROSECOND).kind;
      const late = shares.check(asked.share, asked.member, asked.cost, at + retryMs + MICROSECOND).kind;
      if (early === "over" && late === "room") exact += 1;
      tried += 1;
      if (tried === 300) break;
    }
    expect({ tried, exact }).toEqual({ tried: 300, exact: 300 });
  });

  test("8: whoever is full meanwhile makes it no later, and it is never above what the floor needs", () => {
    let tried = 0;
    for (const { shares, twin, asked, perMs, at, retryMs } of refusals({ maxCost: 40 })) {
      const share = twin.shares.find(({ name }) => name === asked.share);
      const members = (share?.members ?? []).filter(({ deficit }) => deficit > 0);
      const floor = (share?.weight ?? 0) * perMs;
      const debts = members.map(({ name, deficit, owed }) => ({ name, debt: deficit + owed }));
      const total = debts.reduce((sum, { debt }) => sum + debt, 0);
      const own = debts.find(({ name }) => name === asked.member)?.debt ?? 0;
      expect(retryMs).toBeLessThanOrEqual((total + own * members.length) / floor + TINY);
      expect(shares.check(asked.share, asked.member, asked.cost, at + retryMs + MICROSECOND).kind).toBe("room");
      tried += 1;
    }
    expect(tried).toBeGreaterThan(300);
  });
});

describe("the shares, compared", () => {
  function admitted({ config, moves }: Trace, isMine: (move: Move) => boolean): number {
    const shares = new Shares(config, 0);
    let now = 0;
    let count = 0;
    for (const move of moves) {
      now += move.afterMs;
      if (move.cost > 0 && offer(shares, move, now).kind !== "over" && isMine(move)) count += 1;
    }
    return count;
  }

  test("9: without the requests of another share, one gets no less in total", () => {
    fc.assert(
      fc.property(traces({ meter: false }), ({ config, moves }) => {
        const isMine = ({ share }: Move): boolean => share === POOL;
        const without = moves.map((move) => (move.share === "s0" ? { ...move, cost: 0 } : move));
        expect(admitted({ config, moves: without }, isMine)).toBeGreaterThanOrEqual(
          admitted({ config, moves }, isMine),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("9: without the requests of another member, one gets no less in total, within a grain", () => {
    fc.assert(
      fc.property(traces({ meter: false }), ({ config, moves }) => {
        const isMine = ({ share, member }: Move): boolean => share === POOL && member === "ann";
        const without = moves.map((move) =>
          move.share === POOL && move.member === "bob" ? { ...move, cost: 0 } : move,
        );
        expect(admitted({ config, moves: without }, isMine)).toBeGreaterThanOrEqual(
          admitted({ config, moves }, isMine) - 1,
        );
      }),
      { numRuns: 300 },
    );
  });

  test("9: with more weight one gets no less", () => {
    fc.assert(
      fc.property(traces({ meter: false }), fc.integer({ min: 101, max: 300 }), ({ config, moves }, percent) => {
        const [first, ...others] = config.reservations;
        fc.pre(first !== undefined);
        const most = 1 - others.reduce((sum, { fraction }) => sum + fraction, 0);
        const fraction = Math.min(most, (first.fraction * percent) / 100);
        const more = { ...config, reservations: [{ ...first, fraction }, ...others] };
        const isMine = ({ share }: Move): boolean => share === first.name;
        expect(admitted({ config: more, moves }, isMine)).toBeGreaterThanOrEqual(admitted({ config, moves }, isMine));
      }),
      { numRuns: 300 },
    );
  });

  test("13: who the members are makes no difference, nor do those who only look", () => {
    fc.assert(
      fc.property(traces({ maxCost: 30 }), ({ config, moves }) => {
        const one = new Shares(config, 0);
        const other = new Shares(config, 0);
        const names = new Map([
          ["ann", "eve"],
          ["bob", "ann"],
          ["cyd", "zoe"],
          ["dan", "dan"],
          ["eve", "bob"],
        ]);
        let now = 0;
        for (const [index, move] of moves.entries()) {
          now += move.afterMs;
          other.check(move.share, `idle-${index}`, 1, now);
          const verdict = offer(one, move, now);
          expect(offer(other, { ...move, member: names.get(move.member) ?? "" }, now)).toEqual(verdict);
        }
      }),
    );
  });

  test("13: somebody light is never refused because of somebody with giant requests", () => {
    const giants = fc.array(fc.record({ afterMs: fc.nat(5_000), cost: fc.integer({ min: 1, max: 3_000 }) }), {
      maxLength: 100,
    });
    fc.assert(
      fc.property(configs({ meter: false }), giants, (config, giants) => {
        const shares = new Shares(config, 0);
        const { weight = 1 } = new SharesTwin(config).shares.at(-1) ?? {};
        const everyMs = 2 / ((weight * config.unitsPerMinute) / 60_000);
        const light = { share: POOL, member: "light", cost: 1 };
        let now = 0;
        let next = 0;
        for (const { afterMs, cost } of giants) {
          now += afterMs;
          for (; next <= now; next += everyMs) expect(offer(shares, light, next).kind).toBe("room");
          offer(shares, { share: POOL, member: "giant", cost }, now);
        }
      }),
    );
  });
});

describe("floors in every full minute", () => {
  const config: SharesConfig = {
    unitsPerMinute: 1_000,
    utilizationThreshold: 0.8,
    burstSeconds: 5,
    meterSeconds: 10,
    typicalCost: 1,
    reservations: [
      { name: "A", fraction: 0.3, group: false },
      { name: "B", fraction: 0.2, group: false },
      { name: "C", fraction: 0.3, group: false },
    ],
  };

  /** The worst minute of any share, as part of its floor, while the pool asks three times as often as the others. */
  function worstFloor(limiter: Limiter): number {
    const source = (share: string, rate: number): Source => ({
      share,
      member: share,
      stretches: [{ untilMs: 360_000, perMinute: rate }],
    });
    const sources = [source("A", 1_500), source("B", 1_500), source("C", 1_500), source(POOL, 4_500)];
    const floors = [300, 200, 300, 200];
    const records = simulate({ sources, seed: 1 }, limiter);
    const parts = records.flatMap(({ admitted }, index) =>
      [1, 2, 3, 4, 5].map((minute) => countIn(admitted, minute * 60_000, (minute + 1) * 60_000) / (floors[index] ?? 0)),
    );
    return Math.min(...parts);
  }

  test("1: the shares keep them", () => {
    expect(worstFloor(new FairShares(config))).toBeGreaterThanOrEqual(0.99);
  });

  test("1: a two-mode limiter with fixed windows does not (negative control)", () => {
    expect(worstFloor(new TwoModeWindow(config))).toBeLessThan(0.9);
  });
});
