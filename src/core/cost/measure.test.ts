import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { measureJson } from "./measure.ts";

describe("measureJson", () => {
  test.each<[string, unknown, number, number]>([
    ["text in any field", { messages: [{ role: "user", content: "hello" }], stop: ["a", "bc"] }, 4 + 5 + 3, 0],
    ["text, and not the names of fields", { aVeryLongName: "x" }, 1, 0],
    ["tokens, four characters each", { prompt: [1, 2, 3] }, 12, 0],
    ["tokens in lists of lists", { prompt: [[1, 2], [3]] }, 12, 0],
    ["no numbers that stand alone", { max_tokens: 5, temperature: 0.1 }, 0, 0],
    ["no truth values and nulls", { stream: true, stop: null, list: [null, false] }, 0, 0],
    ["nothing of nothing", {}, 0, 0],
    ["a short data URL as text", { url: "data:image/png;base64,AAAA" }, 26, 0],
    ["a long data URL as a medium", { url: `data:image/png;base64,${"A".repeat(600)}` }, 0, 1],
    ["base64 alone as a medium", { images: ["A".repeat(512), "b".repeat(9_000)] }, 0, 2],
    ["a text behind letters as text", { content: "A".repeat(600) + "a word ".repeat(100) }, 1_300, 0],
    ["a text in a data URL as text", { url: `data:text/plain,${"a word ".repeat(100)}` }, 716, 0],
    ["a long text as text", { content: "a word ".repeat(100) }, 700, 0],
    ["a long link as text", { url: `https://example.org/${"a".repeat(600)}` }, 620, 0],
    ["characters outside the first plane as two", { content: "\u{1f600}" }, 2, 0],
  ])("counts %s", (_, json, textChars, media) => {
    expect(measureJson(json, 10)).toEqual({ textChars, media });
  });

  test("takes as many levels as it may, and no more", () => {
    const nest = (depth: number): unknown => (depth === 0 ? {} : { a: nest(depth - 1) });
    expect(measureJson(nest(3), 3)).toEqual({ textChars: 0, media: 0 });
    expect(measureJson(nest(4), 3)).toBeUndefined();
    expect(measureJson([[["deep"]]], 3)).toEqual({ textChars: 4, media: 0 });
    expect(measureJson([[["deep"]]], 2)).toBeUndefined();
    expect(measureJson("flat", 0)).toEqual({ textChars: 4, media: 0 });
  });

  test("goes no deeper than it may, however deep and wide the value is", () => {
    let deep: unknown = [];
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    expect(measureJson(deep, 128)).toBeUndefined();
    expect(measureJson({ prompt: Array.from({ length: 300_000 }, () => "ab") }, 128)).toEqual({
      textChars: 600_000,
      media: 0,
    });
  });

  test("adds up what a recursive walk adds up", () => {
    const walk = (value: unknown, inArray: boolean): number => {
      if (typeof value === "string") return value.length;
      if (typeof value === "number") return inArray ? 4 : 0;
      if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + walk(each, true), 0);
      if (typeof value !== "object" || value === null) return 0;
      return Object.values(value).reduce((sum: number, each) => sum + walk(each, false), 0);
    };
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (json) => {
        expect(measureJson(json, 50)?.textChars).toBe(walk(json, false));
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
