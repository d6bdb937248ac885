import * as fc from "fast-check";
import { expect, test } from "vitest";

import { RateLimiter } from "../../src/batch/index.ts";
import { SteppingClock } from "./support/stepping-clock.ts";

const AMOUNT = 1_000;

test("whatever requests turn out to have used, whenever it is told, a window later the whole limit is free again", async () => {
  const request = fc.record({
    gap: fc.nat(400),
    estimate: fc.integer({ min: 0, max: 600 }),
    truth: fc.option(fc.integer({ min: 0, max: 900 }), { nil: undefined }),
    lasts: fc.nat(1_500),
    isObserved: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 40 }), fc.constantFrom(0, 80), async (requests, guardMs) => {
      const clock = new SteppingClock();
      const limiter = new RateLimiter({ limits: [`${AMOUNT}tok/s`, "50/s"], guardMs, clock });
      let from = 0;
      let tokens = 0;
      const calls = requests.map(async ({ gap, estimate, truth, lasts, isObserved }) => {
        from += gap;
        await clock.until(from);
        const permit = await limiter.acquire({ tokens: estimate });
        await clock.until(permit.at + lasts);
        if (isObserved) limiter.observe({ status: 200, headers: {} }, permit);
        await clock.until(permit.at + lasts * 1.5);
        permit.settle(truth);
        tokens += truth ?? estimate;
      });
      await clock.play();
      await Promise.all(calls);
      expect(limiter.stats()).toMatchObject({ sent: requests.length, tokens, inFlight: 0, waiting: 0 });
      await clock.play(clock.now() + 1_000 + guardMs);
      const whole = limiter.acquire({ tokens: AMOUNT });
      await clock.play(clock.now());
      expect((await whole).waitedMs).toBe(0);
      const next = limiter.acquire({ tokens: 1 });
      await clock.play();
      expect((await next).waitedMs).toBe(1_000 + guardMs);
      limiter.close();
      expect(clock.pending).toBe(0);
    }),
    { numRuns: 400 },
  );
});

test("half a million requests leave no more behind than those of the last window", async () => {
  const clock = new SteppingClock();
  const limiter = new RateLimiter({ limits: ["1000/s", "10M tok/m"], clock });
  for (let round = 0; round < 500; round++) {
    const permits = Promise.all(Array.from({ length: 1_000 }, () => limiter.acquire({ tokens: 3 })));
    await clock.play();
    for (const permit of await permits) permit.settle();
  }
  expect(limiter.stats()).toMatchObject({ sent: 500_000, fullest: [{ amount: 1_000 }, {}] });
  expect(limiter.history().length).toBeLessThanOrEqual(10_001);
  limiter.close();
});
