import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatCount,
  formatDuration,
  formatSize,
  readCount,
  readDuration,
  formatPercent,
  readPercent,
  readSize,
  type Reading,
} from "./units.ts";

const ANY = { min: 0, max: Number.MAX_SAFE_INTEGER };

function value<T>(reading: Reading<T>): T | string {
  return reading.kind === "read"
    ? reading.value
    : `${reading.rule}${reading.hint === undefined ? "" : ` (${reading.hint})`}`;
}

test.each([
  ["160k", 160_000],
  ["2M", 2_000_000],
  ["1.005M", 1_005_000],
  [5, 5],
  ["5", 5],
  [1e3, 1000],
  [0, 0],
])("a count %j is %d", (text, expected) => {
  expect(value(readCount(text, ANY))).toBe(expected);
});

test.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["1.5s", 1500],
  ["5m", 300_000],
  ["1h", 3_600_000],
  ["30 s", 30_000],
  ["0s", 0],
])("a duration %j is %d ms", (text, expected) => {
  expect(value(readDuration(text, ANY))).toBe(expected);
});

test.each([
  ["32MB", 32_000_000],
  ["256MiB", 268_435_456],
  ["1.5kB", 1500],
  ["7B", 7],
])("a size %j is %d bytes", (text, expected) => {
  expect(value(readSize(text, ANY))).toBe(expected);
});

test("a percentage is a fraction of one", () => {
  expect(value(readPercent("80%"))).toBe(0.8);
  expect(value(readPercent("100 %"))).toBe(1);
  for (const text of ["80", 80, "101%", "-1%", "", null]) expect(readPercent(text).kind).toBe("refused");
});

test.each([
  [80, "80%"],
  [0.8, "80%"],
  ["0.125", "12.5%"],
  ["1", "1%"],
])("%s may be meant as %s", (given, meant) => {
  expect(readPercent(given)).toMatchObject({ kind: "refused", hint: `did you mean ${meant}?` });
});

test.each(["0%", "0.7%", "29%", "33.333333%", "99.9%", "100%"])("%s is written as it is read", (text) => {
  const reading = readPercent(text);
  expect(reading.kind === "read" && formatPercent(reading.value)).toBe(text);
});

describe("a refusal gives the rule, and a hint where only the unit is wrong", () => {
  test.each([
    [readCount("2m", ANY), "must be a whole number like 5, 160k or 2M (did you mean 2M?)"],
    [readCount("160K", ANY), "must be a whole number like 5, 160k or 2M (did you mean 160k?)"],
    [readCount(5.5, ANY), "must come out as a whole number"],
    [readCount(-5, ANY), "must be a whole number like 5, 160k or 2M"],
    [readCount(Infinity, ANY), "must be a whole number like 5, 160k or 2M"],
    [readCount(true, ANY), "must be a whole number like 5, 160k or 2M"],
    [readCount(11, { min: 1, max: 10 }), "must be at most 10"],
    [readCount("9".repeat(30), ANY), "must be at most 9007199254740991"],
    [readDuration(30, ANY), "must be a duration like 30s (units ms, s, m, h) (did you mean 30s?)"],
    [readDuration("5 minutes", ANY), "must be a duration like 30s (units ms, s, m, h) (did you mean 5m?)"],
    [readDuration("5M", ANY), "must be a duration like 30s (units ms, s, m, h) (did you mean 5m?)"],
    [readDuration("30 parsecs", ANY), "must be a duration like 30s (units ms, s, m, h)"],
    [readDuration("0.0001s", ANY), "must come out as a whole number of milliseconds"],
    [readDuration("0s", { min: 1, max: 10 }), "must be at least 1ms"],
    [readSize("32mb", ANY), "must be a size like 32MB (units B, kB, MB, GB, KiB, MiB, GiB) (did you mean 32MB?)"],
    [readSize("1Gi", ANY), "must be a size like 32MB (units B, kB, MB, GB, KiB, MiB, GiB) (did you mean 1GiB?)"],
  ])("%#", (reading, expected) => {
    expect(value(reading)).toBe(expected);
  });
});

test("what is formatted is read back as the same amount", () => {
  fc.assert(
    fc.property(
      fc.nat(Number.MAX_SAFE_INTEGER),
      fc.constantFrom(1, 1000, 1024, 3_600_000, 1024 ** 3),
      (small, factor) => {
        const amount = Math.floor(small / factor) * factor;
        expect(value(readCount(formatCount(amount), ANY))).toBe(amount);
        expect(value(readDuration(formatDuration(amount), ANY))).toBe(amount);
        expect(value(readSize(formatSize(amount), ANY))).toBe(amount);
      },
    ),
  );
});

test("amounts are formatted in the unit that people would take", () => {
  expect([formatDuration(300_000), formatDuration(90_000), formatDuration(1500), formatDuration(0)]).toEqual([
    "5m",
    "90s",
    "1500ms",
    "0s",
  ]);
  expect([formatSize(32e6), formatSize(268_435_456), formatSize(0)]).toEqual(["32MB", "256MiB", "0B"]);
  expect([formatCount(160_000), formatCount(64), formatCount(0)]).toEqual(["160k", "64", "0"]);
});
