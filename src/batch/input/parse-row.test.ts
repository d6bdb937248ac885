import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Line } from "./lines.ts";
import { parseRow, type RowDefaults } from "./parse-row.ts";
import { requestId } from "./row.ts";

const defaults: RowDefaults = { model: "m", api: "openai" };

function parse(value: unknown, more: Partial<RowDefaults> = {}): ReturnType<typeof parseRow> {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return parseRow({ number: 7, text }, { ...defaults, ...more });
}

describe("a row", () => {
  it("is a line of the batch format, as it stands", () => {
    const body = { model: "own", messages: [], anything: { else: [1] } };
    expect(parse({ custom_id: "a", method: "POST", url: "/v1/chat/completions", body })).toEqual({
      kind: "row",
      row: { customId: "a", method: "POST", url: "/v1/chat/completions", body, line: 7 },
      needsModel: false,
    });
  });

  it("takes its model from the command where it names none", () => {
    const line = { custom_id: "a", method: "POST", url: "/v1/embeddings", body: { input: "x" } };
    expect(parse(line)).toMatchObject({ row: { body: { model: "m", input: "x" } } });
    expect(parse(line, { model: undefined })).toMatchObject({ kind: "bad" });
  });

  it("may be a prompt or messages alone, and everything beside them belongs to the request", () => {
    expect(parse({ prompt: "hi", temperature: 0 })).toMatchObject({
      row: {
        customId: "row-7",
        url: "/v1/chat/completions",
        body: { model: "m", temperature: 0, messages: [{ role: "user", content: "hi" }] },
      },
    });
    const messages = [{ role: "system", content: "be brief" }];
    expect(parse({ custom_id: "x", messages, max_tokens: 4 }, { api: "anthropic" })).toMatchObject({
      row: { customId: "x", url: "/v1/messages", body: { messages, max_tokens: 4 } },
    });
  });

  it("may be one that failed before, with what became of it", () => {
    const failed = {
      id: "batch_req_1",
      custom_id: "a",
      method: "POST",
      url: "/v1/x",
      body: { model: "m" },
      response: null,
      error: { code: "timeout", message: "" },
      attempts: 6,
    };
    expect(parse(failed)).toMatchObject({ kind: "row", row: { customId: "a", body: { model: "m" } } });
  });

  it.each([
    ["[1]", "a line must be a JSON object"],
    ["null", "a line must be a JSON object"],
    [{ custom_id: 7, prompt: "x" }, "custom_id must be a string"],
    [{ custom_id: "a", method: "POST", url: "//evil.example/v1", body: {} }, "url must be the path"],
    [{ custom_id: "a", method: "POST", url: "/v1/../admin", body: {} }, "url must be the path"],
    [{ custom_id: "a", method: "POST", url: "/v1/x y", body: {} }, "url must be the path"],
    [{ custom_id: "a", method: "POST", url: "/v1/x", body: [] }, "body must be an object"],
    [{ messages: [], prompt: "x" }, "messages or a prompt, not both"],
    [{ messages: [] }, "messages must be a list"],
    [{ prompt: 5 }, "prompt must be a text"],
    [{ text: "hello" }, "custom_id, method, url and body; or messages; or a prompt"],
    [{ prompt: "x", stream: true }, "body.stream must be left out"],
  ])("is not %j", (line, rule) => {
    const parsed = parse(line);
    expect(parsed).toMatchObject({ kind: "bad", problem: { line: 7 } });
    expect(parsed.kind === "bad" ? parsed.problem.rule : "").toContain(rule);
  });

  it("is not what is no UTF-8, too long, or too deep to be written again", () => {
    const deep = (levels: number): string => `{"prompt":"x","a":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    const ruleOf = (line: Line): string => {
      const parsed = parseRow(line, defaults);
      return parsed.kind === "bad" ? parsed.problem.rule : parsed.kind;
    };
    expect(ruleOf({ number: 1, text: undefined, flaw: "not_utf8" })).toBe("a line must be UTF-8");
    expect(ruleOf({ number: 1, text: undefined, flaw: "too_long" })).toContain("longer than 64 MB");
    expect(ruleOf({ number: 1, text: deep(400) })).toBe("row");
    expect(ruleOf({ number: 1, text: deep(600) })).toContain("nested deeper than 500 levels");
    expect(ruleOf({ number: 1, text: deep(1_000_000) })).toContain("nested deeper than 500 levels");
    expect(ruleOf({ number: 1, text: "[".repeat(100_000) + "]".repeat(100_000) })).toContain("nested deeper");
  });

  it("is never something that throws", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseRow({ number: 1, text }, defaults)));
  });

  it("has an id that changes with anything that is asked, and with nothing else", () => {
    const base = { customId: "a", method: "POST", url: "/v1/x", body: { model: "m", n: 1 } } as const;
    expect(requestId(base)).toMatch(/^batch_req_[\da-f]{32}$/);
    expect(requestId({ ...base })).toBe(requestId(base));
    const others = [
      { ...base, customId: "b" },
      { ...base, url: "/v1/y" },
      { ...base, body: { model: "m", n: 2 } },
    ];
    expect(new Set([base, ...others].map((row) => requestId(row))).size).toBe(4);
  });
});
