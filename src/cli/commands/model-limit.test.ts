import { describe, expect, test } from "vitest";

import { readLatency, readRateLimit } from "./model-limit.ts";

describe("--rate-limit", () => {
  test.each([
    [undefined, { kind: "first-hit" }],
    ["aligned", { kind: "aligned", phaseMs: 0 }],
    ["sliding", { kind: "sliding" }],
    ["gcra", { kind: "gcra", burst: 2 }],
    ["gcra:1", { kind: "gcra", burst: 1 }],
  ])("counts by --window %s", (window, kind) => {
    const flags = window === undefined ? {} : { window };
    expect(readRateLimit({ rateLimit: "2/s", ...flags })).toEqual({
      amount: 2,
      windowMs: 1_000,
      window: kind,
      text: "2 per 1 second",
      retryAfter: false,
    });
  });

  test.each([
    [{ rateLimit: "2" }, '--rate-limit: a limit must be an amount and a window, got "2"'],
    [{ rateLimit: "9tok/s" }, "--rate-limit counts requests"],
    [{ rateLimit: "2/s burst 1" }, "--rate-limit takes no burst; use --window gcra:BURST"],
    [{ rateLimit: "2/s", window: "gcra:0" }, "--window must be first-hit, aligned, sliding, gcra or gcra:BURST"],
    [{ window: "sliding" }, "--window is of use with --rate-limit only"],
    [{ retryAfter: true }, "--retry-after is of use with --rate-limit only"],
  ])("refuses %j", (flags, message) => {
    expect(() => readRateLimit(flags)).toThrow(message);
  });

  test("says its window in words", () => {
    expect(readRateLimit({ rateLimit: "3/10s" })?.text).toBe("3 per 10 second");
    expect(readRateLimit({ rateLimit: "500/m", retryAfter: true })).toMatchObject({
      text: "500 per 1 minute",
      retryAfter: true,
    });
  });
});

describe("--latency", () => {
  test.each([
    ["2s..5s", 2_000, 5_000],
    ["500ms", 500, 500],
    ["0.5s..1m", 500, 60_000],
  ])("%s", (text, leastMs, mostMs) => expect(readLatency(text)).toEqual({ leastMs, mostMs }));

  test.each(["5s..2s", "5", "fast", "1s...2s"])("is not %s", (text) => {
    expect(() => readLatency(text)).toThrow("--latency must be a range like 2s..5s");
  });
});
