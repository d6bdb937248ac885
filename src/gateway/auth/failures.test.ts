import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Failures } from "./failures.ts";

describe("failures of an address", () => {
  it("are within the law ten times at once", () => {
    const failures = new Failures();
    for (let count = 0; count < 10; count++) expect(failures.note("a", 0)).toBe(0);
    expect(failures.note("a", 0)).toBe(6_000);
  });

  it("are within the law again exactly when they were told to be, and once", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9_000 }), { maxLength: 60 }), (gaps) => {
        const failures = new Failures();
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          const waitMs = failures.note("a", now);
          if (waitMs === 0) continue;
          expect(failures.note("a", now + waitMs - 0.5)).toBeGreaterThan(0);
          now += waitMs;
          expect(failures.note("a", now)).toBe(0);
        }
      }),
    );
  });

  it("are never more than 10 + time / 6 s within the law", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3_000 }), { minLength: 30, maxLength: 200 }), (gaps) => {
        const failures = new Failures();
        let now = 0;
        const told = gaps.filter((gap) => failures.note("a", (now += gap)) === 0);
        expect(told.length).toBeLessThanOrEqual(10 + now / 6_000);
      }),
    );
  });

  it("are no matter of other addresses", () => {
    const failures = new Failures();
    for (let count = 0; count < 100; count++) failures.note("a", 0);
    expect(failures.note("b", 0)).toBe(0);
  });

  it("are remembered for ten thousand addresses at the most, whatever comes", () => {
    const failures = new Failures();
    let most = 0;
    for (let index = 0; index < 100_000; index++) {
      failures.note(`2001:db8:${(index >> 16).toString(16)}:${(index & 0xffff).toString(16)}::/64`, index);
      most = Math.max(most, failures.size);
    }
    expect(most).toBeGreaterThanOrEqual(5_000);
    expect(most).toBeLessThan(10_000);
  });

  it("are remembered for the last five thousand addresses to fail, and in the end forgotten", () => {
    fc.assert(
      fc.property(fc.nat({ max: 12_000 }), (others) => {
        const failures = new Failures();
        for (let index = 0; index < others; index++) failures.note(`before ${index}`, 0);
        for (let count = 0; count < 10; count++) failures.note("a", 0);
        for (let index = 0; index < 4_999; index++) failures.note(`after ${index}`, 0);
        expect(failures.note("a", 0)).toBeGreaterThan(0);
        for (let index = 0; index < 10_000; index++) failures.note(`last ${index}`, 0);
        expect(failures.note("a", 0)).toBe(0);
      }),
      { numRuns: 20 },
    );
  });
});
