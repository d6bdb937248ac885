import { countTokens as whole } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, test } from "vitest";

import { createRandom } from "../../core/random.ts";
import { countTokens, ENCODINGS } from "./tokenizer.ts";

const AS_TEXT = { disallowedSpecial: new Set<string>() };

describe("countTokens", () => {
  test.each([
    ["cl100k", 6],
    ["o200k", 6],
    ["o200k_harmony", 6],
  ] as const)("knows %s", async (encoding, tokens) => {
    expect(await countTokens({ prompt: "The water flows down the canal" }, encoding)).toBe(tokens);
    expect(ENCODINGS).toContain(encoding);
  });

  test("tells the encodings apart", async () => {
    const prompt = "नमस्ते दुनिया";
    expect(await countTokens({ prompt }, "cl100k")).toBeGreaterThan((await countTokens({ prompt }, "o200k")) ?? 0);
  });

  test.each([
    ["a text", { prompt: "hello world" }, 2],
    ["texts", { input: ["hello world", "hello"] }, 3],
    ["token ids", { prompt: [[1, 2, 3], [4]] }, 4],
    [
      "messages, each with three around it, and three for the answer",
      { messages: [{ role: "user", content: "hello" }] },
      8,
    ],
    ["parts of messages", { messages: [{ role: "user", content: [{ type: "text", text: "hello" }] }] }, 8],
    ["a system prompt", { system: "hello", messages: [{ role: "user", content: "hello" }] }, 9],
    ["tools as JSON", { prompt: "", tools: [{ name: "f" }] }, 7],
    ["nothing of a picture", { prompt: `data:image/png;base64,${"A".repeat(10_000)}` }, 0],
    ["nothing that no model reads", { model: "hello", stop: ["hello"], user: "hello" }, 0],
    ["special tokens as text", { prompt: "<|endoftext|>" }, 7],
  ])("counts %s", async (_, json, tokens) => {
    expect(await countTokens(json, "o200k")).toBe(tokens);
  });

  test("counts long text in slices as it does in one", async () => {
    const random = createRandom(1);
    const words = [
      "water",
      "Über",
      "don't",
      "42,000",
      "naïve",
      "x",
      "(see",
      "…",
      "end.\n\n",
      "\t",
      "世界",
      "😀",
      "if (a) {\n  b();\n}",
    ];
    for (let round = 0; round < 6; round++) {
      const text = Array.from({ length: 4_000 }, () => words[Math.floor(random() * words.length)]).join(" ");
      expect(await countTokens({ prompt: text }, "o200k")).toBe(whole(text, AS_TEXT));
    }
  });

  test("adds at most one token per cut to text without words", async () => {
    for (const text of ["世界人民".repeat(1_500), "ä".repeat(6_000), "😀".repeat(3_000), "\n".repeat(6_000)]) {
      const exact = whole(text, AS_TEXT);
      const sliced = (await countTokens({ prompt: text }, "o200k")) ?? 0;
      expect(sliced).toBeGreaterThanOrEqual(exact);
      expect(sliced).toBeLessThanOrEqual(exact + 2 * Math.ceil(text.length / 2_048));
    }
  });

  test("refuses more text than it may count", async () => {
    expect(await countTokens({ prompt: "a ".repeat(600) }, "o200k", 1_000)).toBeUndefined();
    expect(await countTokens({ prompt: "a ".repeat(400) }, "o200k", 1_000)).toBeDefined();
  });

  test("lets others run in between", async () => {
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await countTokens({ prompt: "many words ".repeat(20_000) }, "o200k");
    isOver = true;
    expect(turns).toBeGreaterThan(50);
  });
});
