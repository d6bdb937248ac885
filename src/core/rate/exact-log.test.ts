import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ExactLog, LOG_ENTRIES } from "./exact-log.ts";

const MINUTE = 60_000;

describe("an exact log", () => {
  test("lets the whole limit through at once, and again one window later", () => {
    const rate = new ExactLog(3, MINUTE);
    for (const now of [0, 10_000, 10_000]) {
      expect(rate.check(1, now)).toBe(0);
      rate.charge(1, now);
    }
    expect(rate.check(1, 10_000)).toBe(50_000);
    expect(rate.check(1, 59_999)).toBe(1);
    expect(rate.check(1, 60_000)).toBe(0);
    expect(rate.check(2, 60_000)).toBe(10_000);
  });

  test("waits for as many old charges to leave as a large request needs", () => {
    const rate = new ExactLog(100, MINUTE);
    rate.charge(40, 0);
    rate.charge(30, 1_000);
    rate.charge(30, 2_000);
    expect(rate.check(40, 2_000)).toBe(58_000);
    expect(rate.check(41, 2_000)).toBe(59_000);
    expect(rate.check(100, 2_000)).toBe(60_000);
  });

  test("never admits a request above the limit, and nothing at a limit of 0", () => {
    expect(new ExactLog(100, MINUTE).check(101, 0)).toBe(Infinity);
    expect(new ExactLog(0, MINUTE).check(1, 0)).toBe(Infinity);
  });

  test("a refund goes to its own charge, which leaves the window when it would have", () => {
    const rate = new ExactLog(100, MINUTE);
    rate.charge(60, 0);
    rate.charge(40, 30_000);
    rate.adjust(-50, 40_000, 0);
    expect(rate.left(40_000)).toBe(50);
    expect(rate.left(60_000)).toBe(60);
  });

  test("a refund for a charge that has left the window makes no room", () => {
    const rate = new ExactLog(100, MINUTE);
    rate.charge(60, 0);
    rate.charge(40, 59_000);
    rate.adjust(-60, 60_000, 0);
    expect(rate.left(60_000)).toBe(60);
    rate.adjust(-1_000, 60_000, 59_000);
    expect(rate.left(60_000)).toBe(100);
  });

  test("is full again one window after the last charge", () => {
    const rate = new ExactLog(10, MINUTE);
    expect(rate.isFull(0)).toBe(true);
    rate.charge(1, 0);
    rate.charge(1, 5_000);
    expect(rate.resetsIn(5_000)).toBe(MINUTE);
    expect(rate.isFull(64_999)).toBe(false);
    expect(rate.isFull(65_000)).toBe(true);
    expect(rate.resetsIn(65_000)).toBe(0);
  });

  test("keeps what was used when the limit changes", () => {
    const rate = new ExactLog(10, MINUTE);
    for (let now = 0; now < 8; now++) rate.charge(1, now);
    rate.resize(5);
    expect(rate.left(8)).toBe(0);
    expect(rate.check(1, 8)).toBe(MINUTE + 3 - 8);
    rate.resize(20);
    expect(rate.left(8)).toBe(12);
  });
});

interface Move {
  readonly gap: number;
  readonly cost: number;
  /** What an admitted request gives back at once, at most its cost. */
  readonly refund: number;
}

const moves = fc.array(
  fc.record<Move>({
    gap: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30_000 })),
    cost: fc.integer({ min: 1, max: 30 }),
    refund: fc.oneof(fc.constant(0), fc.nat(30)),
  }),
  { maxLength: 200 },
);

interface Entry {
  readonly at: number;
  readonly amount: number;
}

/** What a list of timestamps says: how long until `cost` fits under the limit with all charges of the last minute. */
function waitOf(list: readonly Entry[], limit: number, cost: number, now: number): number {
  const used = (at: number): number =>
    list.filter((entry) => entry.at + MINUTE > at).reduce((sum, { amount }) => sum + amount, 0);
  const instants = [now, ...list.map(({ at }) => at + MINUTE)].filter((at) => at >= now).sort((a, b) => a - b);
  const first = instants.find((at) => used(at) + cost <= limit);
  return first === undefined ? Infinity : first - now;
}

test("an exact log decides as a list of timestamps does, and names the same time", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), moves, (limit, moves) => {
      const rate = new ExactLog(limit, MINUTE);
      const list: Entry[] = [];
      let now = 0;
      for (const { gap, cost, refund } of moves) {
        now += gap;
        const wait = waitOf(list, limit, cost, now);
        expect(rate.check(cost, now)).toBe(wait);
        if (wait > 0) continue;
        rate.charge(cost, now);
        rate.adjust(-Math.min(refund, cost), now, now);
        list.push({ at: now, amount: cost - Math.min(refund, cost) });
      }
    }),
    { numRuns: 500 },
  );
});

test("no window, wherever it begins, has more than the limit, in large limits too", () => {
  const large = fc.record({ limit: fc.integer({ min: 20_000, max: 200_000 }), moves });
  fc.assert(
    fc.property(large, ({ limit, moves }) => {
      const rate = new ExactLog(limit, MINUTE);
      const charged: { at: number; cost: number }[] = [];
      let now = 0;
      for (const { gap, cost } of moves) {
        now += gap / 1_000;
        const amount = cost * 1_000;
        if (rate.check(amount, now) > 0) continue;
        rate.charge(amount, now);
        charged.push({ at: now, cost: amount });
      }
      for (const { at: start } of charged) {
        const inside = charged.filter(({ at }) => at >= start && at < start + MINUTE);
        expect(inside.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(limit);
      }
    }),
  );
});

test("room in a large limit comes back a 10,000th of the window late at most", () => {
  const rate = new ExactLog(20_000, MINUTE);
  rate.charge(10_000, 0);
  rate.charge(10_000, 5.9);
  const wait = rate.check(1, 6);
  expect(wait).toBeGreaterThanOrEqual(MINUTE - 6);
  expect(wait).toBeLessThanOrEqual(MINUTE - 6 + MINUTE / LOG_ENTRIES);
});

test("a stream far beyond its estimate does not make a small log grow without bound", () => {
  const rate = new ExactLog(100, MINUTE);
  for (let token = 0; token < 2 * LOG_ENTRIES; token++) rate.charge(1, token / 10);
  expect(rate.used(2_000)).toBe(2 * LOG_ENTRIES);
  expect(rate.check(1, 2_000)).toBeLessThanOrEqual(MINUTE);
  expect(rate.isFull(2_000 + MINUTE)).toBe(true);
});
