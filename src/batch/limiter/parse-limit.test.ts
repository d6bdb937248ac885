import { describe, expect, test } from "vitest";

import { parseLimit } from "./parse-limit.ts";

describe("a limit", () => {
  test.each([
    ["2/s", { unit: "requests", amount: 2, windowMs: 1_000 }],
    ["500/m", { unit: "requests", amount: 500, windowMs: 60_000 }],
    ["200000tok/m", { unit: "tokens", amount: 200_000, windowMs: 60_000 }],
    ["10k/h", { unit: "requests", amount: 10_000, windowMs: 3_600_000 }],
    ["1M tok/d", { unit: "tokens", amount: 1_000_000, windowMs: 86_400_000 }],
    ["3/10s", { unit: "requests", amount: 3, windowMs: 10_000 }],
    ["2.5k tokens / min", { unit: "tokens", amount: 2_500, windowMs: 60_000 }],
    ["5 requests/second", { unit: "requests", amount: 5, windowMs: 1_000 }],
    ["1/250ms", { unit: "requests", amount: 1, windowMs: 250 }],
  ])("is read from %j", (text, limit) => {
    expect(parseLimit(text)).toMatchObject({ kind: "read", limit: { ...limit, burst: undefined } });
  });

  test("may tell its burst, and is called by what was written", () => {
    expect(parseLimit(" 60 / m burst 1 ")).toEqual({
      kind: "read",
      limit: { name: "60/m burst 1", unit: "requests", amount: 60, windowMs: 60_000, burst: 1 },
    });
  });

  test.each([
    ["2", "a limit must be an amount and a window"],
    ["2 per second", "a limit must be an amount and a window"],
    ["-2/s", "a limit must be an amount and a window"],
    ["0/s", "a limit must be a whole number of at least 1"],
    ["1.5/s", "a limit must be a whole number: 1.5/s is 3/2s"],
    ["0.1/10s", "a limit must be a whole number: 0.1/10s is 1/100s"],
    ["2/w", 'a window must be in ms, s, m, h or d, not "w"'],
    ["2/constructor", 'a window must be in ms, s, m, h or d, not "constructor"'],
    ["2/0s", "a window must be from 1 ms to a year long"],
    ["2/999d", "a window must be from 1 ms to a year long"],
    ["2/s burst 0", "a burst must be at least 1"],
    ["", "a limit must be an amount and a window"],
  ])("is not %j", (text, rule) => {
    expect(parseLimit(text)).toMatchObject({ kind: "refused", rule });
  });
});
