import { describe, expect, test } from "vitest";

import { splitTokens } from "./tokens.ts";
import { drawFate, type Fate, type OutputLength } from "./text.ts";

const OUTPUT: OutputLength = { medianTokens: 64, spread: 0.4, minTokens: 8, maxTokens: 512 };

function take(fate: Fate, count: number): string[] {
  const words = fate.words();
  return Array.from({ length: count }, () => words());
}

describe("a fate", () => {
  test("is the same for the same seed and prompt, and another for another seed or prompt", () => {
    const draw = (seed: number, prompt: string): string => {
      const fate = drawFate(seed, prompt, { output: OUTPUT, maxTokens: 10 });
      return `${fate.id} ${fate.naturalTokens} ${take(fate, 20).join("")}`;
    };
    expect(draw(1, "hello")).toBe(draw(1, "hello"));
    expect(new Set([draw(1, "hello"), draw(2, "hello"), draw(1, "hello!")]).size).toBe(3);
  });

  test("keeps its text under another output limit, but not its id", () => {
    const short = drawFate(1, "hello", { output: OUTPUT, maxTokens: 5 });
    const long = drawFate(1, "hello", { output: OUTPUT, maxTokens: undefined });
    expect(take(long, 5)).toEqual(take(short, 5));
    expect(long.id).not.toBe(short.id);
    expect(long.id).toMatch(/^[0-9a-f]{24}$/);
  });

  test("gives words that are one token each, and ends with a full stop", () => {
    for (let index = 0; index < 50; index++) {
      const fate = drawFate(1, `prompt ${index}`, { output: OUTPUT, maxTokens: undefined });
      const words = take(fate, fate.naturalTokens);
      expect(splitTokens(words.join(""))).toEqual(words);
      expect(words.at(-1)).toMatch(/\.$/);
    }
  });

  test("draws lengths around the median, within the bounds", () => {
    const lengths = Array.from(
      { length: 2_000 },
      (_, index) => drawFate(1, `prompt ${index}`, { output: OUTPUT, maxTokens: undefined }).naturalTokens,
    ).sort((a, b) => a - b);
    expect(lengths[0]).toBeGreaterThanOrEqual(8);
    expect(lengths.at(-1)).toBeLessThanOrEqual(512);
    expect(Math.abs((lengths[1_000] ?? 0) - 64)).toBeLessThan(4);
  });

  test("without spread always has the median's length", () => {
    const fixed = { medianTokens: 20, spread: 0, minTokens: 1, maxTokens: 100 };
    for (const prompt of ["a", "b", "c"]) {
      expect(drawFate(1, prompt, { output: fixed, maxTokens: undefined }).naturalTokens).toBe(20);
    }
  });
});
