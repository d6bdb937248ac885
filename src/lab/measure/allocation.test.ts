import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type Allocation, entitlements } from "./allocation.ts";

/** Two reservations and a pool of two. */
const ALLOCATION: Allocation = {
  capacity: 1_000,
  shares: [
    { reserved: true, fraction: 0.3, members: [0] },
    { reserved: true, fraction: 0.2, members: [1] },
    { reserved: false, fraction: 0.5, members: [2, 3] },
  ],
};

describe("entitlements", () => {
  test.each([
    { asked: [9_999, 9_999, 9_999, 9_999], given: [300, 200, 250, 250] },
    { asked: [9_999, 9_999, 0, 0], given: [600, 400, 0, 0] },
    { asked: [10, 20, 30, 40], given: [10, 20, 30, 40] },
    { asked: [30, 9_999, 100, 9_999], given: [30, 277.14, 100, 592.86] },
    { asked: [0, 0, 0, 0], given: [0, 0, 0, 0] },
  ])("of $asked are $given", ({ asked, given }) => {
    const seen = entitlements(ALLOCATION, 1_000, asked).map((value) => Math.round(100 * value) / 100);
    expect(seen).toEqual(given);
  });

  test("give nobody more than it asks for, waste nothing, and nobody gets less per weight than another share that wants more", () => {
    const asked = fc.array(fc.nat(2_000), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(asked, (asked) => {
        const given = entitlements(ALLOCATION, 1_000, asked);
        const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
        expect(sum(given)).toBeCloseTo(Math.min(1_000, sum(asked)), 6);
        for (const [index, value] of given.entries()) expect(value).toBeLessThanOrEqual((asked[index] ?? 0) + 1e-9);
        const parts = ALLOCATION.shares.map(({ members, fraction }) => ({
          perWeight: sum(members.map((index) => given[index] ?? 0)) / fraction,
          wants: sum(members.map((index) => (asked[index] ?? 0) - (given[index] ?? 0))) > 1e-6,
        }));
        const most = Math.max(...parts.map(({ perWeight }) => perWeight));
        const short = parts.filter(({ wants }) => wants).map(({ perWeight }) => Math.abs(perWeight - most));
        expect(Math.max(0, ...short)).toBeLessThan(1e-6 * Math.max(1, most));
      }),
    );
  });
});
