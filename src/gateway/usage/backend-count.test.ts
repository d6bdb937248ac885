import { describe, expect, test } from "vitest";

import { type Ask, BackendCounter } from "./backend-count.ts";

/** A backend that answers from a table, and notes what it is asked. */
function backend(answers: Readonly<Record<string, unknown>>): { readonly asked: unknown[]; readonly ask: Ask } {
  const asked: unknown[] = [];
  const ask: Ask = (path, body) => {
    asked.push([path, body]);
    return Promise.resolve(answers[path]);
  };
  return { asked, ask };
}

const messages = [{ role: "user", content: "hello" }];

describe("BackendCounter", () => {
  test("gives vLLM the messages, and the tools", async () => {
    const { ask, asked } = backend({ "/tokenize": { count: 12, max_model_len: 100, tokens: [1] } });
    const counter = new BackendCounter(ask);
    expect(await counter.count({ model: "m", messages, stream: true })).toBe(12);
    expect(await counter.count({ model: "m", messages, tools: [] })).toBe(12);
    expect(await counter.count({ model: "m", prompt: "hello" })).toBe(12);
    expect(asked).toEqual([
      ["/tokenize", { model: "m", messages }],
      ["/tokenize", { model: "m", messages, tools: [] }],
      ["/tokenize", { model: "m", prompt: "hello" }],
    ]);
  });

  test("has llama-server write the messages as its model reads them, and remembers who it is", async () => {
    const { ask, asked } = backend({
      "/apply-template": { prompt: "<user>hello" },
      "/tokenize": { tokens: [1, 2, 3] },
    });
    const counter = new BackendCounter(ask);
    expect(await counter.count({ messages })).toBe(3);
    expect(await counter.count({ prompt: "hello" })).toBe(3);
    expect(asked.slice(1)).toEqual([
      ["/apply-template", { messages }],
      ["/tokenize", { content: "<user>hello", add_special: true }],
      ["/tokenize", { content: "hello", add_special: true }],
    ]);
  });

  test.each([
    ["no answer", {}],
    ["another answer", { "/tokenize": { count: "many" }, "/apply-template": [] }],
  ])("knows nothing from %s", async (_, answers) => {
    const counter = new BackendCounter(backend(answers).ask);
    expect(await counter.count({ messages })).toBeUndefined();
    expect(await counter.count({ prompt: "hello" })).toBeUndefined();
  });

  test("asks nothing about a request that has no text to count", async () => {
    const { ask, asked } = backend({});
    expect(await new BackendCounter(ask).count({ prompt: [1, 2] })).toBeUndefined();
    expect(await new BackendCounter(ask).count({ input: "hello" })).toBeUndefined();
    expect(asked).toEqual([]);
  });
});
