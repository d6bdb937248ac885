import * as fc from "fast-check";
import { expect, test } from "vitest";

import { countTokens, decodeTokens, splitTokens, tokenId } from "./tokens.ts";

test("a token is at most 6 bytes, and white space after a word starts a new one", () => {
  expect(splitTokens("The gate opens slowly, and  closes.")).toEqual([
    "The",
    " gate",
    " opens",
    " slowl",
    "y,",
    " and",
    "  clos",
    "es.",
  ]);
  expect(splitTokens("日本語 🌊🌊")).toEqual(["日本", "語", " 🌊", "🌊"]);
  expect(countTokens("")).toBe(0);
});

test("tokens put together are the text, and there are as many as counted", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const pieces = splitTokens(text);
      expect(pieces.join("")).toBe(text);
      expect(countTokens(text)).toBe(pieces.length);
      for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(6);
    }),
  );
});

test("ids are safe integers that turn back into their text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const ids = splitTokens(text).map(tokenId);
      for (const id of ids) expect(Number.isSafeInteger(id)).toBe(true);
      expect(decodeTokens(ids)).toBe(text);
    }),
  );
});

test("a number that is no token's id has no text", () => {
  for (const id of [0, 7, -8, 1.5, Number.NaN, 2 ** 60, 256 * 8 + 1]) expect(decodeTokens([id])).toBeUndefined();
});
