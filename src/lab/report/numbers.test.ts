import { describe, expect, it } from "vitest";

import { formatCount, formatMs, formatRate, formatRatio, formatSpan, UNKNOWN } from "./numbers.ts";

describe("figures in words", () => {
  it.each([
    [null, UNKNOWN],
    [0, "0ms"],
    [0.04, "0ms"],
    [4.24, "4.2ms"],
    [9.97, "10ms"],
    [35.2, "35ms"],
    [999.4, "999ms"],
    [999.6, "1s"],
    [1_254, "1.25s"],
    [12_540, "12.5s"],
    [200_000, "3m 20s"],
  ])("%s ms is %s", (ms, text) => {
    expect(formatMs(ms)).toBe(text);
  });

  it.each([
    [null, UNKNOWN],
    [1, "100%"],
    [0.99999, "99.9%"],
    [0, "0%"],
    [0.00001, "0.1%"],
    [0.9943, "99.4%"],
    [1.074, "107.4%"],
    [2, "200%"],
  ])("all and none are said of all and none only: %s is %s", (ratio, text) => {
    expect(formatRatio(ratio)).toBe(text);
  });

  it.each([
    [45, "45s"],
    [180, "3m"],
    [200, "3m 20s"],
    [3_900, "1h 5m"],
    [3_600, "1h"],
  ])("%s seconds are %s", (seconds, text) => {
    expect(formatSpan(seconds)).toBe(text);
  });

  it("counts and rates have no more digits than they need", () => {
    expect([
      formatCount(12_345),
      formatCount(null),
      formatRate(9.5),
      formatRate(9.515),
      formatRate(35.25),
      formatRate(1_234.5),
      formatRate(null),
    ]).toEqual(["12,345", UNKNOWN, "9.5", "9.52", "35.3", "1,235", UNKNOWN]);
  });
});
