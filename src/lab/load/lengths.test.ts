import { describe, expect, test } from "vitest";

import { createRandom } from "../../core/random.ts";
import type { Lengths } from "../scenario/types.ts";
import { createLengths } from "./lengths.ts";

function draw(lengths: Lengths, count = 10_000): number[] {
  const next = createLengths(lengths, createRandom(5));
  return Array.from({ length: count }, next).sort((a, b) => a - b);
}

describe("lengths", () => {
  test("in turn come in turn", () => {
    const next = createLengths({ kind: "turns", values: [1, 2, 3] }, createRandom(1));
    expect(Array.from({ length: 7 }, next)).toEqual([1, 2, 3, 1, 2, 3, 1]);
  });

  test("between two bounds are whole, and each is as likely as the others", () => {
    const drawn = draw({ kind: "uniform", from: 3, to: 6 });
    for (const value of [3, 4, 5, 6]) {
      expect(drawn.filter((one) => one === value).length / drawn.length).toBeCloseTo(0.25, 1);
    }
  });

  test("around a median are whole, have that median, and are cut at both ends", () => {
    const drawn = draw({ kind: "lognormal", median: 60, spread: 0.5, from: 30, to: 120 });
    expect(drawn.every(Number.isInteger)).toBe(true);
    expect(drawn[0]).toBe(30);
    expect(drawn.at(-1)).toBe(120);
    expect((drawn[drawn.length / 2] ?? 0) / 60).toBeCloseTo(1, 1);
  });
});
