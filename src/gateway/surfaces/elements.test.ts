import { describe, expect, test } from "vitest";

import { hasTooManyElements, MAX_ELEMENTS } from "./elements.ts";
import { factsOf } from "./facts.ts";

function judge(json: string): boolean {
  return hasTooManyElements(Buffer.from(json));
}

describe("a body has too many elements", () => {
  test.each([
    ["lists", "[],"],
    ["objects", "{},"],
    ["numbers", "1,"],
    ["texts", '"",'],
  ])("with a million %s", (_, element) => {
    expect(judge(`{"a":[${element.repeat(1_000_000)}0]}`)).toBe(true);
  });

  test("with a million keys", () => {
    expect(judge(`{${'"k":1,'.repeat(1_000_000)}"k":1}`)).toBe(true);
  });

  test("with brackets that never close", () => {
    expect(judge("[".repeat(1_000_000))).toBe(true);
  });

  test("with one more than the limit, and not with as many", () => {
    const list = (length: number): string => `[${"1,".repeat(length - 1)}1]`;
    // The list itself counts as one.
    expect(judge(list(MAX_ELEMENTS))).toBe(false);
    expect(judge(list(MAX_ELEMENTS + 1))).toBe(true);
  });
});

describe("a body has not too many elements", () => {
  test("however many brackets and commas are in its texts", () => {
    expect(judge(JSON.stringify({ prompt: "[{,".repeat(1_000_000) }))).toBe(false);
    expect(judge(JSON.stringify({ prompt: '\\"[,'.repeat(1_000_000) }))).toBe(false);
    expect(judge(JSON.stringify({ prompt: "\\".repeat(1_000_000), stop: ["\\", '"', ","] }))).toBe(false);
  });

  test("as a prompt of a hundred thousand tokens with pictures", () => {
    const prompt = Array.from({ length: 100_000 }, (_, index) => index);
    expect(judge(JSON.stringify({ prompt, images: ["A".repeat(2_000_000)] }))).toBe(false);
  });
});

test("a request with too many elements is not taken, and told why", () => {
  expect(factsOf(Buffer.from(`{"a":[${"[],".repeat(1_000_000)}[]]}`))).toEqual({
    kind: "invalid",
    message: "the body has more than 500000 elements",
  });
});
