import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { Arrivals } from "./arrivals.ts";
import { createChecker } from "./checkers.ts";
import type { WindowKind } from "./types.ts";

/** Which of these arrivals are refused at 2 per second. */
function refused(window: WindowKind, arrivals: readonly number[]): number[] {
  const checker = createChecker({ amount: 2, windowMs: 1_000, window });
  return arrivals.filter((now) => !checker.admit(now));
}

describe("2 per second", () => {
  test("from the first hit: the window ends a second after it, and whoever was refused counts until then", () => {
    expect(refused({ kind: "first-hit" }, [100, 900, 950, 1_099, 1_100, 1_900, 2_099, 2_100])).toEqual([
      950, 1_099, 2_099,
    ]);
  });

  test("from the first hit: three can pass within 200 ms of a window's end", () => {
    expect(refused({ kind: "first-hit" }, [0, 900, 1_000, 1_050, 1_060])).toEqual([1_060]);
  });

  test("by the clock: windows begin at the phase", () => {
    expect(refused({ kind: "aligned", phaseMs: 0 }, [900, 950, 960, 1_000, 1_001, 1_002])).toEqual([960, 1_002]);
    expect(refused({ kind: "aligned", phaseMs: 955 }, [900, 950, 960, 1_000, 1_001])).toEqual([1_001]);
  });

  test("sliding: exactly a second is too early, and refusals do not count", () => {
    expect(refused({ kind: "sliding" }, [0, 500, 999, 1_000, 1_001, 1_500, 1_501])).toEqual([999, 1_000, 1_500]);
  });

  test("a bucket of one wants half a second between any two; a bucket of two lets two pass at once", () => {
    expect(refused({ kind: "gcra", burst: 1 }, [0, 499, 500, 999, 1_000])).toEqual([499, 999]);
    expect(refused({ kind: "gcra", burst: 2 }, [0, 0, 0, 500, 1_000, 1_500])).toEqual([0]);
  });

  test("a refusal names the time until the next one passes", () => {
    for (const window of [{ kind: "first-hit" }, { kind: "gcra", burst: 2 }] as const) {
      const checker = createChecker({ amount: 2, windowMs: 1_000, window });
      for (const now of [0, 0, 0]) checker.admit(now);
      const wait = checker.retryAfterMs(0);
      expect(checker.admit(wait - 1)).toBe(false);
      expect(checker.admit(wait)).toBe(true);
    }
  });
});

test("the most in any window is what counting around every arrival finds", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(700), { maxLength: 100 }), fc.integer({ min: 1, max: 2_000 }), (gaps, windowMs) => {
      const arrivals = new Arrivals(windowMs);
      const times: number[] = [];
      for (const gap of gaps) {
        times.push((times.at(-1) ?? 0) + gap);
        arrivals.add(times.at(-1) ?? 0);
      }
      const counts = times.map((start) => times.filter((at) => at >= start && at < start + windowMs).length);
      expect(arrivals.most).toBe(Math.max(0, ...counts));
    }),
  );
});
