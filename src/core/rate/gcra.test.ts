import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { burstOf, Gcra } from "./gcra.ts";

const MINUTE = 60_000;

/** Asks at every instant; charges `cost` whenever there is room. Returns when. */
function greedy(rate: Gcra, instants: readonly number[], cost = 1): number[] {
  return instants.filter((now) => {
    const admitted = rate.check(cost, now) === 0;
    if (admitted) rate.charge(cost, now);
    return admitted;
  });
}

describe("a rate limit", () => {
  test("lets a sixth of it through at once, then one after the other", () => {
    const rate = new Gcra(60, MINUTE);
    const times = Array.from({ length: 25 }, () => 0);
    expect(greedy(rate, times)).toHaveLength(10);
    expect(rate.check(1, 0)).toBe(1_000);
    expect(rate.check(1, 999)).toBe(1);
    expect(rate.check(1, 1_000)).toBe(0);
  });

  test("lets one through at once however small it is", () => {
    const rate = new Gcra(1, MINUTE);
    expect(rate.burst).toBe(1);
    rate.charge(1, 0);
    expect(rate.check(1, 0)).toBe(MINUTE);
  });

  test("of 0 lets nothing through, ever", () => {
    const rate = new Gcra(0, MINUTE);
    expect(rate.check(1, 0)).toBe(Infinity);
    rate.charge(1, 0);
    expect(rate.isFull(0)).toBe(true);
    expect(rate.left(0)).toBe(0);
  });

  test("lets any number of tokens through where there is room for one, and waits until they are paid", () => {
    const rate = new Gcra(600, MINUTE);
    expect(rate.check(5_000, 0)).toBe(0);
    rate.charge(5_000, 0);
    expect(rate.left(0)).toBe(0);
    expect(rate.used(0)).toBeCloseTo(5_000);
    // 4,901 of the 5,000 have to flow back at 10 a second.
    expect(rate.check(5_000, 0)).toBeCloseTo(490_100);
    expect(rate.check(1, 490_100)).toBe(0);
  });

  test("is full again when all has flowed back", () => {
    const rate = new Gcra(60, MINUTE);
    expect(rate.isFull(0)).toBe(true);
    rate.charge(3, 0);
    expect(rate.resetsIn(0)).toBe(3_000);
    expect(rate.isFull(2_999)).toBe(false);
    expect(rate.isFull(3_000)).toBe(true);
    expect(rate.left(3_000)).toBe(10);
  });

  test("a refund gives back what is still used, and never more", () => {
    const rate = new Gcra(60, MINUTE);
    rate.charge(5, 0);
    rate.adjust(-2, 0);
    expect(rate.left(0)).toBe(7);
    rate.adjust(-100, 0);
    expect(rate.left(0)).toBe(10);
    rate.adjust(-1, 50_000);
    expect(rate.left(50_000)).toBe(10);
  });

  test("an estimate and its correction are the same as the truth at once", () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), fc.nat(100), (estimate, truth, now) => {
        const [corrected, direct] = [new Gcra(100, MINUTE), new Gcra(100, MINUTE)];
        corrected.charge(estimate, now);
        corrected.adjust(truth - estimate, now);
        direct.charge(truth, now);
        expect(corrected.used(now)).toBeCloseTo(direct.used(now), 6);
      }),
    );
  });

  test("keeps what was used when the limit changes, through 0 too", () => {
    const rate = new Gcra(60, MINUTE);
    rate.charge(8, 0);
    rate.resize(30, 0);
    expect(rate.used(0)).toBeCloseTo(8);
    expect(rate.check(1, 0)).toBeCloseTo(8_000);
    rate.resize(0, 0);
    expect(rate.check(1, 0)).toBe(Infinity);
    rate.resize(60, 0);
    expect(rate.used(0)).toBeCloseTo(8);
    expect(rate.left(0)).toBeCloseTo(2);
  });
});

test("the worst window of a limit of 100 a minute has 116 requests: the limit and its burst", () => {
  const rate = new Gcra(100, MINUTE);
  const admitted = greedy(
    rate,
    Array.from({ length: 300_000 }, (_, index) => index),
  );
  const worst = Math.max(
    ...admitted.map((start) => admitted.filter((at) => at >= start && at < start + MINUTE).length),
  );
  expect(worst).toBe(100 + Math.floor(burstOf(100)));
});

test("no window has more than limit, burst, and what the last request takes beyond a unit", () => {
  const requests = fc.array(fc.record({ gap: fc.nat(20_000), cost: fc.integer({ min: 1, max: 300 }) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), requests, (limit, requests) => {
      const rate = new Gcra(limit, MINUTE);
      const charged: { at: number; cost: number }[] = [];
      let now = 0;
      for (const { gap, cost } of requests) {
        now += gap;
        if (rate.check(cost, now) > 0) continue;
        rate.charge(cost, now);
        charged.push({ at: now, cost });
      }
      for (const { at: start } of charged) {
        const inside = charged.filter(({ at }) => at >= start && at < start + MINUTE);
        const excess = Math.max(...inside.map(({ cost }) => cost)) - 1;
        const sum = inside.reduce((total, { cost }) => total + cost, 0);
        expect(sum).toBeLessThanOrEqual(limit + burstOf(limit) + excess + 1e-6);
      }
    }),
    { numRuns: 300 },
  );
});

test("the time it names is exact: not a microsecond before, and then", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.array(fc.record({ gap: fc.nat(5_000), cost: fc.integer({ min: 1, max: 500 }) }), {
        minLength: 1,
        maxLength: 30,
      }),
      (limit, charges) => {
        const rate = new Gcra(limit, MINUTE);
        // A gate that has been up for four months.
        let now = 1e10;
        for (const { gap, cost } of charges) {
          now += gap;
          rate.charge(cost, now);
        }
        const wait = rate.check(1, now);
        fc.pre(wait > 0.001);
        expect(rate.check(1, now + wait - 0.001)).toBeGreaterThan(0);
        expect(rate.check(1, now + wait)).toBe(0);
      },
    ),
  );
});
