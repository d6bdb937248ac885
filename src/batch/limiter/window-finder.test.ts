import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Dimension } from "../signals/types.ts";
import { WindowFinder } from "./window-finder.ts";

function said(limit: number, remaining: number, resetMs: number): Dimension {
  return { id: "requests", unit: "requests", limit, remaining, resetMs, refill: "gradual", windowMs: undefined };
}

function findAll(answers: readonly (readonly [limit: number, remaining: number, resetMs: number])[]): unknown {
  const finder = new WindowFinder();
  return answers.map((answer) => finder.take(said(...answer))).at(-1);
}

describe("a window", () => {
  test("is not found in one answer: this one is of 120 per minute with a burst of 20", () => {
    expect(findAll([[120, 19, 495]])).toBeUndefined();
  });

  test("is found in three that agree, whatever the burst is", () => {
    expect(
      findAll([
        [120, 19, 495],
        [120, 14, 2_995],
        [120, 9, 5_495],
      ]),
    ).toBe(60_000);
    expect(
      findAll([
        [120, 119, 500],
        [120, 114, 3_000],
        [120, 109, 5_500],
      ]),
    ).toBe(60_000);
    expect(
      findAll([
        [10_000, 9_999, 8_640],
        [10_000, 9_990, 86_400],
        [10_000, 9_980, 172_800],
      ]),
    ).toBe(86_400_000);
    expect(
      findAll([
        [50, 49, 20],
        [50, 44, 120],
        [50, 39, 220],
      ]),
    ).toBe(1_000);
  });

  test("is not found in two, nor in three that are hardly apart", () => {
    expect(
      findAll([
        [120, 19, 495],
        [120, 14, 2_995],
      ]),
    ).toBeUndefined();
    expect(
      findAll([
        [120, 19, 495],
        [120, 18, 995],
        [120, 17, 1_495],
      ]),
    ).toBeUndefined();
  });

  test("is not found where less is left and nothing takes longer: the reset is the end of the window", () => {
    expect(
      findAll([
        [100, 90, 50_000],
        [100, 80, 45_000],
        [100, 70, 46_000],
        [100, 60, 47_000],
      ]),
    ).toBeUndefined();
  });

  test("is looked for anew when the limit changes", () => {
    expect(
      findAll([
        [120, 19, 495],
        [120, 14, 2_995],
        [120, 9, 5_495],
        [60, 9, 1_000],
      ]),
    ).toBeUndefined();
  });
});

test("no window is found that is shorter than the true one, however the server rounds", () => {
  const windows = [1_000, 10_000, 60_000, 3_600_000, 86_400_000];
  let found = 0;
  fc.assert(
    fc.property(
      fc.record({
        windowMs: fc.constantFrom(...windows),
        limit: fc.integer({ min: 5, max: 100_000 }),
        burst: fc.double({ min: 0.01, max: 1, noNaN: true }),
        step: fc.constantFrom(1, 100, 1_000, 60_000),
        levels: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 12 }),
      }),
      ({ windowMs, limit, burst, step, levels }) => {
        const bucket = Math.max(1, limit * burst);
        const answers = levels.map((level) => {
          const exact = bucket * (1 - level) * (windowMs / limit);
          return [limit, Math.floor(bucket * level), Math.ceil(exact / step) * step] as const;
        });
        const finder = new WindowFinder();
        for (const answer of answers) {
          const guess = finder.take(said(...answer));
          if (guess === undefined) continue;
          found += 1;
          expect(guess).toBeGreaterThanOrEqual(windowMs);
        }
      },
    ),
    { numRuns: 3_000 },
  );
  // It is found often enough to be of use.
  expect(found).toBeGreaterThan(300);
});

test("the judgement by one answer, that what is missing comes back by the reset, concludes too short a window", () => {
  const byOneAnswer = (limit: number, remaining: number, resetMs: number): number =>
    (limit / (limit - remaining)) * resetMs;
  expect(byOneAnswer(120, 19, 495)).toBeLessThan(1_000);
});
