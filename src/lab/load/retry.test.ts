import { describe, expect, test } from "vitest";

import { type FailedAttempt, retryIn } from "./retry.ts";

const refused: FailedAttempt = { attempt: 1, status: 429, retryAfterMs: 1_234, shouldRetry: undefined };
const never = (): number => 0;

describe("clients that were refused", () => {
  test("give up where they do not retry", () => {
    expect(retryIn("none", refused, never)).toBeUndefined();
  });

  test("ask again at once where they are impatient, whatever they were told", () => {
    expect(retryIn("impatient", { ...refused, attempt: 999 }, never)).toBe(50);
  });

  test("ask again when they were told to where they are polite, and after a second where nobody says when", () => {
    expect(retryIn("polite", refused, never)).toBe(1_234);
    expect(retryIn("polite", { ...refused, retryAfterMs: undefined }, never)).toBe(1_000);
  });
});

test.each(["impatient", "polite"] as const)("the %s do not ask again what no waiting can mend", (style) => {
  expect([200, 400, 401, 404].map((status) => retryIn(style, { ...refused, status }, never))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(retryIn("polite", { ...refused, retryAfterMs: 0 }, never)).toBe(1);
});

describe("SDKs", () => {
  test("retry twice, when they were told to", () => {
    expect([1, 2, 3].map((attempt) => retryIn("sdk", { ...refused, attempt }, never))).toEqual([
      1_234,
      1_234,
      undefined,
    ]);
  });

  test("take no header of a minute and more, but half a second that doubles, less up to a quarter", () => {
    const far = { ...refused, retryAfterMs: 60_000 };
    expect([1, 2].map((attempt) => retryIn("sdk", { ...far, attempt }, never))).toEqual([500, 1_000]);
    expect(retryIn("sdk", far, () => 1)).toBe(375);
  });

  test.each([
    { status: 0, retries: true },
    { status: 400, retries: false },
    { status: 401, retries: false },
    { status: 408, retries: true },
    { status: 409, retries: true },
    { status: 422, retries: false },
    { status: 429, retries: true },
    { status: 500, retries: true },
    { status: 503, retries: true },
  ])("after $status retry: $retries, and x-should-retry overrules it", ({ status, retries }) => {
    const failed = { ...refused, status };
    expect(retryIn("sdk", failed, never) !== undefined).toBe(retries);
    expect(retryIn("sdk", { ...failed, shouldRetry: true }, never)).toBe(1_234);
    expect(retryIn("sdk", { ...failed, shouldRetry: false }, never)).toBeUndefined();
  });
});
