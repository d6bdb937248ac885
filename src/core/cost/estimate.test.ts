import { expect, test } from "vitest";

import { estimateTokens } from "./estimate.ts";

test.each([
  ["four characters are a token", { textChars: 400, media: 0 }, 10, 110],
  ["a part of a token is one", { textChars: 401, media: 0 }, 10, 111],
  ["a medium is a thousand", { textChars: 4, media: 2 }, 10, 2_011],
  ["an answer without a bound is a usual one", { textChars: 0, media: 0 }, undefined, 256],
  ["the bound counts in full", { textChars: 0, media: 0 }, 100_000, 100_000],
])("%s", (_, measure, bound, tokens) => {
  expect(estimateTokens(measure, bound)).toBe(tokens);
});
