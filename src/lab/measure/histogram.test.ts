import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { TimeHistogram } from "./histogram.ts";

const times = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });

function filled(values: readonly number[]): TimeHistogram {
  const histogram = new TimeHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe("a histogram of times", () => {
  test("tells every percentile within a thousandth of what sorting says", () => {
    fc.assert(
      fc.property(times, (values) => {
        const sorted = values.toSorted((a, b) => a - b);
        const { p50, p99, max, count } = filled(values).percentiles();
        const at = (percent: number): number => sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? Number.NaN;
        expect(count).toBe(values.length);
        for (const [seen, exact] of [
          [p50, at(50)],
          [p99, at(99)],
          [max, at(100)],
        ] as const) {
          expect(Math.abs((seen ?? Number.NaN) - exact)).toBeLessThanOrEqual(exact / 1_000 + 0.001);
        }
      }),
    );
  });

  test("is the same whether it was filled at once or merged from parts", () => {
    fc.assert(
      fc.property(times, times, (first, second) => {
        const merged = filled(first);
        merged.add(filled(second));
        const whole = filled([...first, ...second]);
        expect(merged.distribution()).toEqual(whole.distribution());
        expect(merged.percentiles().mean).toBeCloseTo(whole.percentiles().mean ?? Number.NaN, 2);
      }),
    );
  });

  test("leaves out what did not happen", () => {
    const histogram = filled([Number.NaN, 5]);
    expect([histogram.count, histogram.percentiles().mean]).toEqual([1, 5]);
    expect(filled([]).percentiles()).toEqual({
      count: 0,
      mean: null,
      p50: null,
      p90: null,
      p95: null,
      p99: null,
      max: null,
    });
    expect(filled([]).distribution()).toEqual({ ms: [], fraction: [] });
  });

  test("has a distribution that ascends to all of it", () => {
    fc.assert(
      fc.property(times, (values) => {
        const { ms, fraction } = filled(values).distribution();
        expect(ms).toEqual([...new Set(ms)].sort((a, b) => a - b));
        expect(fraction).toEqual(fraction.toSorted((a, b) => a - b));
        expect(fraction.at(-1)).toBe(1);
      }),
    );
  });
});
