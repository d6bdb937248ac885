import { expect, test } from "vitest";

import { AutoRate } from "./auto-rate.ts";

/** Sends as fast as the rate lets it for so long, with an answer at once to each. Returns the time after. */
function saturate(rate: AutoRate, from: number, duration: number): number {
  let now = from;
  for (; now < from + duration; now += 1) {
    while (rate.dueAt() <= now) {
      rate.sent(1, now);
      rate.passed(now, now);
    }
  }
  return now;
}

test("the rate doubles every second while all passes, and after a refusal grows by a twentieth", () => {
  const rate = new AutoRate();
  let now = saturate(rate, 0, 6_000);
  expect(rate.perSecond).toBeGreaterThanOrEqual(16);
  const before = rate.perSecond;
  rate.refused(now);
  // It may just have doubled, so what went out in the last round is about half of it.
  expect(rate.perSecond).toBeLessThanOrEqual(before * 0.8);
  expect(rate.perSecond).toBeGreaterThanOrEqual(before * 0.35);
  const after = rate.perSecond;
  now = saturate(rate, now, 2_500);
  // The round of the refusal is not clean.
  expect(rate.perSecond).toBeCloseTo(after * 1.05, 6);
});

test("a rate that is not used does not grow", () => {
  const rate = new AutoRate();
  for (let now = 0; now < 20_000; now += 1_000) {
    rate.sent(1, now);
    rate.passed(now, now + 999);
  }
  expect(rate.perSecond).toBe(2);
});

test("no answer, no growth: a rate is not doubled blindly", () => {
  const rate = new AutoRate();
  for (let now = 0; now < 20_000; now += 1) if (rate.dueAt() <= now) rate.sent(1, now);
  expect(rate.perSecond).toBe(2);
});
