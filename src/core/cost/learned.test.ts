import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createRandom } from "../random.ts";
import { estimateTokens } from "./estimate.ts";
import { Estimator } from "./learned.ts";
import type { Measure } from "./measure.ts";

const text = (textChars: number): Measure => ({ textChars, media: 0 });

/** Requests of a model whose template costs `base` and whose text costs `perChar`. */
function teach(estimator: Estimator, sizes: readonly number[], { base = 0, perChar = 0.25, output = 256 }): void {
  for (const chars of sizes) {
    estimator.learn("ann", "m", text(chars), { input: Math.round(base + perChar * chars), output });
  }
}

describe("Estimator", () => {
  test("says unlearned what estimateTokens says", () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(5), fc.option(fc.nat(256), { nil: undefined }), (textChars, media, bound) => {
        const { input, output } = new Estimator().estimate("ann", "m", { textChars, media }, bound);
        expect(input + output).toBe(estimateTokens({ textChars, media }, bound));
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  test.each([
    ["English", 0, 0.22],
    ["Chinese", 12, 1.1],
    ["a large template", 90, 0.25],
    ["log files", 30, 0.5],
  ])("comes within 5 %% of the truth after 60 requests: %s", (_, base, perChar) => {
    const random = createRandom(1);
    const estimator = new Estimator();
    teach(
      estimator,
      Array.from({ length: 60 }, () => Math.round(20 + 8_000 * random() ** 3)),
      { base, perChar },
    );
    for (const chars of [200, 2_000, 20_000, 200_000]) {
      const { input } = estimator.estimate("ann", "m", text(chars), 1);
      expect(Math.abs(input / (base + perChar * chars) - 1)).toBeLessThan(0.05);
    }
  });

  test("does not take a template for the price of text, however many short requests there were", () => {
    const estimator = new Estimator();
    teach(
      estimator,
      Array.from({ length: 500 }, () => 20),
      { base: 80, perChar: 0.25 },
    );
    expect(estimator.estimate("ann", "m", text(20), 1).input).toBe(85);
    const { input } = estimator.estimate("ann", "m", text(100_000), 1);
    expect(input).toBeGreaterThan(20_000);
    expect(input).toBeLessThan(30_000);
  });

  test("follows a model whose tokenizer changes", () => {
    const estimator = new Estimator();
    const sizes = Array.from({ length: 200 }, (_, index) => 500 + (index % 10) * 400);
    teach(estimator, sizes, { perChar: 0.25 });
    teach(estimator, sizes, { perChar: 0.5 });
    expect(Math.abs(estimator.estimate("ann", "m", text(4_000), 1).input / 2_000 - 1)).toBeLessThan(0.05);
  });

  test("keeps media out of the price of text, and learns their own", () => {
    const estimator = new Estimator();
    for (let count = 0; count < 60; count++) {
      estimator.learn("ann", "m", { textChars: 400, media: 2 }, { input: 100 + 2 * 300, output: 10 });
    }
    expect(estimator.estimate("ann", "m", text(400), 1).input).toBe(100);
    const { input } = estimator.estimate("ann", "m", { textChars: 400, media: 1 }, 1);
    expect(Math.abs(input - 400)).toBeLessThan(40);
  });

  test("expects the output that this consumer had from this model, and 256 of whoever is new", () => {
    const estimator = new Estimator();
    for (let count = 0; count < 40; count++) estimator.learn("ann", "m", text(40), { input: 10, output: 1_000 });
    expect(Math.abs(estimator.estimate("ann", "m", text(40), undefined).output / 1_000 - 1)).toBeLessThan(0.05);
    expect(estimator.estimate("ann", "m", text(40), 300).output).toBe(300);
    expect(estimator.estimate("bob", "m", text(40), undefined).output).toBe(256);
    expect(estimator.estimate("ann", "other", text(40), undefined).output).toBe(256);
  });

  test("learns of what it is told only", () => {
    const estimator = new Estimator();
    estimator.learn("ann", "m", text(4_000), { input: undefined, output: undefined });
    expect(estimator.estimate("ann", "m", text(4_000), undefined)).toEqual({ input: 1_000, output: 256 });
  });

  test("stays finite and within its clamps, whatever it is told", () => {
    const amount = fc.oneof(fc.nat(100), fc.nat(1e9), fc.constant(0));
    const lesson = fc.tuple(amount, fc.nat(3), amount, amount);
    fc.assert(
      fc.property(fc.array(lesson, { maxLength: 80 }), amount, (lessons, textChars) => {
        const estimator = new Estimator();
        for (const [chars, media, input, output] of lessons) {
          estimator.learn("ann", "m", { textChars: chars, media }, { input, output });
        }
        const { input, output } = estimator.estimate("ann", "m", text(textChars), undefined);
        expect(Number.isSafeInteger(input) && Number.isSafeInteger(output)).toBe(true);
        expect(input).toBeGreaterThanOrEqual(Math.floor(textChars / 20));
        expect(input).toBeLessThanOrEqual(4_096 + 2 * textChars + 1);
        expect(output).toBeGreaterThanOrEqual(0);
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  test("forgets the model and the consumer that it heard of longest ago", () => {
    const estimator = new Estimator({ models: 2, consumersPerModel: 2 });
    const output = (consumer: string, model: string): number =>
      estimator.estimate(consumer, model, text(4), undefined).output;
    const learn = (consumer: string, model: string): void =>
      estimator.learn(consumer, model, text(4), { input: 1, output: 1_000 });
    for (const [consumer, model] of [
      ["ann", "a"],
      ["bob", "a"],
      ["ann", "a"],
      ["cleo", "a"],
    ] as const) {
      learn(consumer, model);
    }
    expect(output("bob", "a")).toBe(256);
    expect(output("ann", "a")).toBeGreaterThan(256);
    learn("ann", "b");
    learn("ann", "c");
    expect(output("ann", "a")).toBe(256);
    expect(output("ann", "b")).toBeGreaterThan(256);
  });
});
