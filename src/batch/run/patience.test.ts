import { expect, it } from "vitest";

import { Patience } from "./patience.ts";

it("adds up pauses; what two of them have in common counts once", () => {
  const patience = new Patience({ maxPauseMs: 1_000, maxFailures: 0 });
  expect(patience.paused(400, 0)).toBe(true);
  expect(patience.paused(400, 100)).toBe(true);
  expect(patience.paused(500, 200)).toBe(true);
  // A day passes in which nothing is asked.
  expect(patience.paused(86_400_500, 86_400_000)).toBe(true);
  expect(patience.paused(86_400_501, 86_400_200)).toBe(false);
});

it("begins anew with a success, but for what is left of a pause", () => {
  const patience = new Patience({ maxPauseMs: 1_000, maxFailures: 2 });
  patience.paused(900, 0);
  patience.failed("404");
  patience.succeeded(300);
  patience.failed("404");
  expect(patience.exhausted).toBeUndefined();
  expect(patience.paused(1_300, 900)).toBe(true);
  expect(patience.paused(2_001, 2_000)).toBe(false);
  patience.failed("500");
  expect(patience.exhausted).toBe("2 rows have failed without a success in between, the last with 500");
});
