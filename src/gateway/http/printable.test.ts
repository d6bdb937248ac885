import { expect, test } from "vitest";

import { printable } from "./printable.ts";

test("text without control characters is itself", () => {
  expect(printable("gpt-oss 20b: h\u00e9llo \u{1f600}")).toBe("gpt-oss 20b: h\u00e9llo \u{1f600}");
});

test.each(["\u0000", "\n", "\r", "\t", "\u001b", "\u007f", "\u0085", "\u009b", "\u2028", "\u2029", "\u202e", "\u2066"])(
  "%j is replaced",
  (character) => {
    expect(printable(`a${character}b`)).toBe("a\ufffdb");
  },
);

test("long text is cut", () => {
  expect(printable("a".repeat(300))).toBe(`${"a".repeat(200)}\u2026`);
  expect(printable("abcdef", 3)).toBe("abc\u2026");
  expect(printable("abc", 3)).toBe("abc");
});
