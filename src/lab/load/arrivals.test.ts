import { describe, expect, test } from "vitest";

import { createRandom } from "../../core/random.ts";
import { drawGap, type OpenArrivals } from "./arrivals.ts";

const DRAWS = 200_000;

function moments(arrivals: OpenArrivals): { mean: number; variance: number } {
  const random = createRandom(7);
  const gaps = Array.from({ length: DRAWS }, () => drawGap(arrivals, random));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / DRAWS;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / DRAWS;
  return { mean, variance };
}

/** 120 a minute: a mean gap of half a second. */
const perMinute = 120;
const MEAN = 500;

describe("gaps between arrivals", () => {
  test("are all the mean where the rate is constant", () => {
    expect(moments({ kind: "constant", perMinute })).toEqual({ mean: MEAN, variance: 0 });
  });

  test.each([
    { arrivals: { kind: "poisson", perMinute } as const, variance: 1 },
    { arrivals: { kind: "gamma", perMinute, burstiness: 1 } as const, variance: 1 },
    { arrivals: { kind: "gamma", perMinute, burstiness: 0.25 } as const, variance: 4 },
    { arrivals: { kind: "gamma", perMinute, burstiness: 4 } as const, variance: 0.25 },
  ])("have the mean of the rate and $variance times its square as variance: $arrivals", ({ arrivals, variance }) => {
    const seen = moments(arrivals);
    expect(seen.mean / MEAN).toBeCloseTo(1, 1);
    expect(seen.variance / MEAN ** 2 / variance).toBeCloseTo(1, 1);
  });

  test("are the same for the same seed", () => {
    const draw = (): number[] => {
      const random = createRandom(3);
      return Array.from({ length: 100 }, () => drawGap({ kind: "gamma", perMinute, burstiness: 0.5 }, random));
    };
    expect(draw()).toEqual(draw());
  });
});
