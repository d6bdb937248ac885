import { describe, expect, it } from "vitest";

import { backoff } from "./backoff.ts";
import { parseBase, pathOf } from "./endpoint.ts";
import { requestHeaders } from "./identity.ts";
import { judge } from "./judge.ts";
import type { Reception } from "./transport.ts";
import { isCut, usageOf } from "./usage.ts";

describe("the address of a row", () => {
  it.each([
    ["http://h/v1", "/v1/chat/completions", "/v1/chat/completions"],
    ["http://h/v1/", "/v1/chat/completions", "/v1/chat/completions"],
    ["http://h", "/v1/messages", "/v1/messages"],
    ["http://h/openai/v1", "/v1/chat/completions", "/openai/v1/chat/completions"],
    ["http://h/proxy", "/v1/chat/completions", "/proxy/chat/completions"],
    ["http://h/v1", "/chat/completions", "/v1/chat/completions"],
    ["http://h", "/chat/completions", "/v1/chat/completions"],
    ["http://h/v2", "/v1/chat/completions", "/v2/chat/completions"],
    ["http://h/v1beta/openai/", "/v1/chat/completions", "/v1beta/openai/chat/completions"],
    ["http://h/d/x?api-version=2024", "/v1/chat/completions", "/d/x/chat/completions?api-version=2024"],
    ["http://h/v1", "/v1", "/v1/v1"],
  ])("under %s is, for %s, %s", (base, url, path) => {
    expect(pathOf(new URL(base), url)).toBe(path);
  });

  it.each(["nonsense", "ftp://h", "http://user:pass@h", "http://h#there"])("is not under %s", (text) => {
    expect(typeof parseBase(text)).toBe("string");
  });

  it.each([
    ["http://h/v1/chat/completions", "http://h/v1"],
    ["http://h/v1/messages/", "http://h/v1"],
    ["https://h/openai/deployments/x/chat/completions?api-version=1", "https://h/openai/deployments/x?api-version=1"],
  ])("is not under the endpoint %s, but under %s", (text, right) => {
    expect(parseBase(text)).toBe(`must end before the endpoint, which the rows name: ${right}`);
    expect(parseBase(right)).toBeInstanceOf(URL);
  });
});

describe("an answer", () => {
  const answered = (status: number, text: string, headers: Record<string, string> = {}): Reception => ({
    kind: "answered",
    status,
    headers,
    text,
  });

  it.each([
    [answered(200, "{}"), "success"],
    [answered(200, "[]"), "retry"],
    [answered(200, ""), "retry"],
    [answered(200, '{"error":null}'), "success"],
    [answered(200, '{"error":{"message":"no"}}'), "final"],
    [answered(200, '{"error":"no"}'), "final"],
    [answered(200, '{"error":""}'), "success"],
    [answered(200, '{"error":false}'), "success"],
    [answered(204, ""), "retry"],
    [answered(302, ""), "final"],
    [answered(400, "{}"), "final"],
    [answered(408, ""), "retry"],
    [answered(409, ""), "retry"],
    [answered(422, ""), "final"],
    [answered(429, "{}", { "x-should-retry": "false" }), "retry"],
    [answered(500, "<html>"), "retry"],
    [answered(503, "{}", { "x-should-retry": "false" }), "final"],
    [{ kind: "failed", cause: "timeout", message: "", reached: true }, "retry"],
    [{ kind: "aborted" }, "aborted"],
  ] satisfies [Reception, string][])("%j means %s", (reception, kind) => {
    expect(judge(reception).kind).toBe(kind);
  });

  it("says what went wrong in the words of the server", () => {
    const message = (body: unknown): unknown => {
      const judgement = judge(answered(400, typeof body === "string" ? body : JSON.stringify(body)));
      return "message" in judgement ? judgement.message : undefined;
    };
    expect(message({ error: { message: "no such model" } })).toBe("400: no such model");
    expect(message({ error: "Rate limit exceeded" })).toBe("400: Rate limit exceeded");
    expect(message({ detail: "x" })).toBe('400: {"detail":"x"}');
    expect(message("plain")).toBe("400: plain");
    expect(String(message("x".repeat(1_000))).length).toBeLessThan(400);
  });

  it("stands on one line, every digit as it came", () => {
    const judgement = judge(answered(200, '{\r\n "a": 1.0,\n "b": 12345678901234567890 }\n'));
    expect(judgement.kind === "success" ? judgement.answer.text : "").toBe('{  "a": 1.0,  "b": 12345678901234567890 }');
  });

  it("says what it used, and whether it was cut", () => {
    expect(usageOf({ usage: { prompt_tokens: 3, completion_tokens: 4 } })).toEqual({ input: 3, output: 4 });
    expect(usageOf({ usage: { prompt_tokens: 3, total_tokens: 3 } })).toEqual({ input: 3, output: 0 });
    expect(usageOf({ usage: { input_tokens: 3, cache_creation_input_tokens: 2, output_tokens: 4 } })).toEqual({
      input: 5,
      output: 4,
    });
    expect(usageOf({})).toEqual({ input: undefined, output: undefined });
    expect(usageOf({ usage: { prompt_tokens: -1, completion_tokens: "4" } })).toEqual({
      input: undefined,
      output: undefined,
    });
    expect(isCut({ choices: [{ finish_reason: "stop" }, { finish_reason: "length" }] })).toBe(true);
    expect(isCut({ stop_reason: "max_tokens" })).toBe(true);
    expect(isCut({ choices: [{ finish_reason: "stop" }] })).toBe(false);
  });
});

describe("what HTTP cannot carry", () => {
  const headers = (apiKey: string, own: Record<string, string> = {}): unknown =>
    requestHeaders({ apiKey, isAnthropic: false, headers: own });

  it.each(["sk-secret\n", "sk-secret\r\nx: y", "sk-secret…", "sk-secret\0"])("is no key: %j", (key) => {
    expect(() => headers(key)).toThrow(/^apiKey must not hold/);
    expect(() => headers(key)).not.toThrow(/secret/);
  });

  it.each([
    ["x-team", "blue\ngreen", "must not hold a line end"],
    ["x-team", "łódź", "must not hold characters that HTTP headers cannot carry"],
    ["x team", "blue", "must have a name of letters, digits and hyphens"],
    ["Content-Length", "5", "is set by headgate itself"],
  ])("is no header: %j %j", (name, value, rule) => {
    expect(() => headers("k", { [name]: value })).toThrow(`header ${JSON.stringify(name)} ${rule}`);
  });

  it("is not Latin-1, nor a tab", () => {
    expect(headers("k", { "X-Team": "grün\tblau" })).toMatchObject({ "x-team": "grün\tblau" });
  });
});

describe("the pause before another attempt", () => {
  it("is drawn from a range that doubles up to 30 s", () => {
    expect([1, 2, 3, 7, 50].map((attempt) => backoff(attempt, () => 1))).toEqual([500, 1_000, 2_000, 30_000, 30_000]);
    expect(backoff(3, () => 0)).toBe(0);
  });
});
