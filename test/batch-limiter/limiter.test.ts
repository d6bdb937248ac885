import { describe, expect, test } from "vitest";

import { minimumDurationMs, RateLimiter } from "../../src/batch/index.ts";
import { bed, limitOf, sendTimes } from "./support/bed.ts";
import { SteppingClock } from "./support/stepping-clock.ts";

describe("the line", () => {
  test("a cost above a limit is refused at once, with the limit", async () => {
    const { limiter } = bed({ limits: ["2/s", "1000tok/m"] });
    await expect(limiter.acquire({ tokens: 1_001 })).rejects.toMatchObject({
      name: "LimitExceededError",
      message: "a request of 1001 tokens can never pass the limit 1000tok/m",
      limit: { name: "1000tok/m" },
    });
    expect(limiter.stats()).toMatchObject({ sent: 0, waiting: 0 });
  });

  test("a large request holds the line until there is room for it: small ones do not overtake", async () => {
    const { clock, limiter } = bed({ limits: ["1000tok/s"], guardMs: 0 });
    const costs = [600, 500, 1];
    const permits = Promise.all(costs.map((tokens) => limiter.acquire({ tokens })));
    await clock.play();
    expect((await permits).map(({ at, waitedMs }) => [at, waitedMs])).toEqual([
      [0, 0],
      [1_000, 1_000],
      [1_000, 1_000],
    ]);
  });

  test("whoever leaves the line lets the next one out, and rejects with the signal's reason", async () => {
    const { clock, limiter } = bed({ limits: ["1000tok/s"], guardMs: 0 });
    await limiter.acquire({ tokens: 600 });
    const leaving = new AbortController();
    const large = limiter.acquire({ tokens: 500 }, { signal: leaving.signal });
    const small = limiter.acquire({ tokens: 400 });
    clock.at(10, () => leaving.abort(new Error("enough")));
    await Promise.all([expect(large).rejects.toThrow("enough"), clock.play()]);
    expect((await small).at).toBe(10);
    await expect(limiter.acquire({}, { signal: leaving.signal })).rejects.toThrow("enough");
  });

  test("closing rejects whoever waits and whoever comes, and leaves no timer", async () => {
    const { clock, limiter } = bed({ limits: ["1/s"] });
    const permit = await limiter.acquire();
    const waiting = limiter.acquire();
    limiter.close();
    await expect(waiting).rejects.toMatchObject({ name: "LimiterClosedError" });
    await expect(limiter.acquire()).rejects.toMatchObject({ name: "LimiterClosedError" });
    expect(clock.pending).toBe(0);
    permit.settle();
    expect(limiter.stats()).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  test("a scheduled call is settled once, whether it ends well or throws", async () => {
    const { limiter } = bed({ limits: [], concurrency: 1 });
    await expect(limiter.schedule(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    const result = await limiter.schedule((permit) => {
      permit.settle(5);
      permit.settle(50);
      return "yes";
    });
    expect(result).toBe("yes");
    expect(limiter.stats()).toMatchObject({ sent: 2, tokens: 5, inFlight: 0 });
  });

  test("what a request did not use makes room at once, and what it used beyond is charged", async () => {
    const { clock, limiter } = bed({ limits: ["1000tok/s"], guardMs: 0 });
    const first = await limiter.acquire({ tokens: 900 });
    const second = limiter.acquire({ tokens: 300 });
    clock.at(100, () => first.settle(500));
    await clock.play();
    expect((await second).at).toBe(100);
    (await second).settle(900);
    const third = limiter.acquire({ tokens: 200 });
    await clock.play();
    // 500 leave at 1000, but 300 + 600 stay until 1100.
    expect((await third).at).toBe(1_100);
    expect(limiter.stats().tokens).toBe(1_600);
  });

  test("a limit of a year waits for longer than a timer can", async () => {
    const one = bed({ limits: [{ ...limitOf(1, 366 * 86_400_000), burst: 1 }], guardMs: 0 });
    expect(await sendTimes(one, 2)).toEqual([0, 366 * 86_400_000]);
  });

  test.each([
    [{ limits: ["2/x"] }, 'a window must be in ms, s, m, h or d, not "x", got "2/x"'],
    [{ limits: [], concurrency: 0 }, "concurrency must be at least 1, got 0"],
    [{ limits: [], guardMs: -1 }, 'guardMs must be "auto" or a number of milliseconds from 0, got -1'],
    [{ limits: [limitOf(0, 1_000)] }, "amount must be at least 1"],
  ])("settings that are none throw: %j", (options, message) => {
    expect(() => new RateLimiter(options)).toThrow(message);
  });
});

describe("a start", () => {
  test("goes on exactly where the history ends", async () => {
    const before = bed({ limits: ["2/s"], guardMs: 0 });
    const epoch = before.clock.wall();
    await sendTimes(before, 1);
    await before.clock.play(300);
    await sendTimes(before, 1);
    const history = before.limiter.history();
    expect(history).toEqual([
      { at: epoch, tokens: 0, requests: 1 },
      { at: epoch + 300, tokens: 0, requests: 1 },
    ]);
    await before.clock.play(700);
    const after = bed({ limits: ["2/s"], guardMs: 0, history }, before.clock);
    expect(await sendTimes(after, 3)).toEqual([1_000, 1_300, 2_000]);
    expect(after.limiter.stats().fullest).toMatchObject([{ amount: 2 }]);
  });

  test("takes a history of the future, of a clock that was set back, as sent now", async () => {
    const clock = new SteppingClock();
    const history = [{ at: clock.wall() + 3_600_000, tokens: 0 }];
    expect(await sendTimes(bed({ limits: ["1/s"], guardMs: 0, history }, clock), 1)).toEqual([1_000]);
  });

  test("waits for a window where others may have been busy", async () => {
    expect(await sendTimes(bed({ limits: ["2/s", "100/m"], coldStart: "busy" }), 1)).toEqual([60_050]);
    expect(await sendTimes(bed({ limits: [], coldStart: "busy" }), 1)).toEqual([0]);
  });
});

describe("limits that nobody tells", () => {
  test("are found: the rate doubles while all goes well", async () => {
    const { clock, limiter } = bed({ limits: ["auto"] });
    const perSecond = new Map<number, number>();
    let left = 400;
    const worker = async (): Promise<void> => {
      while (left-- > 0) {
        using permit = await limiter.acquire();
        const second = Math.floor(permit.at / 1_000);
        perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
        await clock.until(permit.at + 50);
        limiter.observe({ status: 200, headers: {} }, permit);
      }
    };
    const work = Promise.all(Array.from({ length: 100 }, worker));
    await clock.play();
    await work;
    const counts = [...perSecond.values()];
    expect(counts[0]).toBeLessThanOrEqual(3);
    expect(Math.max(...counts)).toBeGreaterThan(30);
  });

  test("are taken from the answers, and held", async () => {
    const one = bed({ limits: ["auto"], guardMs: 0 });
    const permit = await one.limiter.acquire();
    const headers = { "ratelimit-policy": '"p";q=3;w=10', ratelimit: '"p";r=2;t=10' };
    one.limiter.observe({ status: 200, headers }, permit);
    permit.settle();
    expect(one.heard).toEqual(["learned 3/10s"]);
    const times = await sendTimes(one, 6);
    expect(times.filter((at) => at < 10_000).length).toBeLessThanOrEqual(2);
    expect(one.limiter.stats().fullest).toMatchObject([{ limit: { name: "3/10s" } }]);
  });

  test("per what, is a minute until answers agree on something else: a burst makes no window short", async () => {
    const one = bed({ limits: ["auto"], guardMs: 0 });
    const answer = async (remaining: number, resetMs: number): Promise<void> => {
      const asked = one.limiter.acquire();
      await one.clock.play();
      const permit = await asked;
      const headers = {
        "x-ratelimit-limit-requests": "120",
        "x-ratelimit-remaining-requests": String(remaining),
        "x-ratelimit-reset-requests": `${resetMs}ms`,
      };
      one.limiter.observe({ status: 200, headers }, permit);
      permit.settle();
    };
    // So Headgate's own gate answers under 120 per minute, of which 20 may go out at once.
    await answer(19, 495);
    expect(one.heard).toEqual(["learned 120/m"]);
    // And so under 120 per hour.
    await answer(14, 149_995);
    await answer(9, 299_995);
    await answer(4, 449_995);
    expect(one.heard).toEqual(["learned 120/m", "learned 120/h"]);
  });

  test("that become smaller than who waits refuse it", async () => {
    const one = bed({ limits: ["auto"], concurrency: 1 });
    const permit = await one.limiter.acquire();
    const large = one.limiter.acquire({ tokens: 500 });
    const headers = { "x-ratelimit-limit-tokens": "400", "x-ratelimit-remaining-tokens": "400" };
    one.limiter.observe({ status: 200, headers }, permit);
    await expect(large).rejects.toMatchObject({ name: "LimitExceededError", limit: { name: "400tok/m" } });
  });
});

describe("the minimum duration", () => {
  const costs = (count: number, tokens = 0) => Array.from({ length: count }, () => ({ requests: 1, tokens }));

  test("of windows is what the pigeonhole says: (⌈n / N⌉ − 1) windows", () => {
    expect(minimumDurationMs(costs(10), [limitOf(2, 1_000)], { guardMs: 0 })).toBe(4_000);
    expect(minimumDurationMs(costs(11), [limitOf(2, 1_000)], { guardMs: 50 })).toBe(5_250);
  });

  test("of paced limits is n / N windows, of tokens by their sum", () => {
    expect(minimumDurationMs(costs(601), [limitOf(600, 60_000)], { guardMs: 0 })).toBeCloseTo(60_000, 6);
    const tokens = limitOf(60_000, 60_000, "tokens");
    expect(minimumDurationMs(costs(61, 1_000), [tokens], { guardMs: 0 })).toBeCloseTo(60_000, 6);
  });

  test("of a concurrency is that of rounds", () => {
    expect(minimumDurationMs(costs(10), [], { concurrency: 3, latencyMs: 100 })).toBe(300);
  });

  test("is what the limiter takes", async () => {
    const limits = ["5/s", "20/m", "3000tok/10s"];
    const { clock, limiter } = bed({ limits });
    const mixed = Array.from({ length: 40 }, (_, index) => ({ requests: 1, tokens: (index * 137) % 700 }));
    const permits = Promise.all(mixed.map((cost) => limiter.acquire(cost)));
    await clock.play();
    const least = minimumDurationMs(
      mixed,
      limiter.stats().fullest.map(({ limit }) => limit),
    );
    expect((await permits).at(-1)?.at).toBeCloseTo(least, 6);
  });

  test("of a request that can never go out is an error", () => {
    expect(() => minimumDurationMs(costs(1, 5_000), [limitOf(100, 1_000, "tokens")])).toThrow("can never pass");
  });
});
