import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { estimateTokens } from "../../core/cost/estimate.ts";
import { factsOf, type RequestFacts } from "./facts.ts";

function read(body: unknown): RequestFacts {
  const result = factsOf(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)));
  if (result.kind === "invalid") throw new Error(result.message);
  return result.facts;
}

function problemOf(body: string | Buffer): string {
  const result = factsOf(Buffer.from(body));
  return result.kind === "invalid" ? `${result.param ?? "body"}: ${result.message}` : "fine";
}

describe("a body that is not taken", () => {
  test.each([
    ["", "body: the body is empty"],
    ["{", "body: the body is not valid JSON"],
    ["{'a':1}", "body: the body is not valid JSON"],
    ['{"a":1}x', "body: the body is not valid JSON"],
    ['{"a":NaN}', "body: the body is not valid JSON"],
    ["\ufeff{}", "body: the body is not valid JSON"],
    ["\u0000\u0001", "body: the body is not valid JSON"],
    ["[]", "body: the body must be a JSON object"],
    ["null", "body: the body must be a JSON object"],
    ['"text"', "body: the body must be a JSON object"],
    ["7", "body: the body must be a JSON object"],
    ['{"model":7}', "model: model must be a string"],
    ['{"model":["a"]}', "model: model must be a string"],
    ['{"model":{}}', "model: model must be a string"],
    ['{"model":false}', "model: model must be a string"],
  ])("%j: %s", (body, problem) => {
    expect(problemOf(body)).toBe(problem);
  });

  test.each([
    ["a lone continuation byte", [0x80]],
    ["an overlong encoding", [0xc0, 0xaf]],
    ["a surrogate in UTF-8", [0xed, 0xa0, 0x80]],
    ["a code point that there is not", [0xf5, 0x80, 0x80, 0x80]],
    ["a sequence that ends too soon", [0xe2, 0x82]],
  ])("is one with %s", (_, bytes) => {
    const body = Buffer.concat([Buffer.from('{"prompt":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expect(problemOf(body)).toBe("body: the body is not valid UTF-8");
  });

  test("is one in UTF-16", () => {
    expect(problemOf(Buffer.from('{"a":1}', "utf16le"))).toBe("body: the body is not valid JSON");
  });

  test("nests deeper than any schema", () => {
    const nested = (depth: number): string => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    expect(problemOf(nested(100))).toBe("fine");
    expect(problemOf(nested(200))).toBe("body: the body nests deeper than 128 levels");
    expect(problemOf(nested(100_000))).toMatch(/nests deeper|not valid JSON/);
  });
});

describe("the model", () => {
  test.each([
    [{ model: "a" }, "a"],
    [{ model: "" }, ""],
    [{ model: null }, undefined],
    [{}, undefined],
    ['{"__proto__":{"model":"x"}}', undefined],
    ['{"model":"a","model":"b"}', "b"],
  ])("of %j is %j", (body, model) => {
    expect(read(body).model).toBe(model);
  });
});

test("only `stream: true` asks for a stream, and the last one counts", () => {
  const bodies = ['{"stream":true}', '{"stream":false}', "{}", '{"stream":1}', '{"stream":true,"stream":false}'];
  expect(bodies.map((body) => read(body).asksForStream)).toEqual([true, false, false, false, false]);
});

describe("the bound on the output", () => {
  test.each([
    [{ max_tokens: 5 }, 5],
    [{ max_completion_tokens: 6 }, 6],
    [{ max_output_tokens: 7 }, 7],
    [{ n_predict: 8 }, 8],
    [{ max_new_tokens: 9 }, 9],
    [{ options: { num_predict: 10 } }, 10],
    [{ parameters: { max_new_tokens: 11 } }, 11],
    [{ max_tokens: 5, max_completion_tokens: 6 }, 6],
    [{ max_tokens: 5, n: 3 }, 15],
    [{ n: 3 }, undefined],
    [{ max_tokens: 5, n: 0 }, 5],
    [{ max_tokens: 5, n: -1 }, 5],
    [{ max_tokens: 5, n: "3" }, 5],
    [{ max_tokens: 0 }, undefined],
    [{ n_predict: -1 }, undefined],
    [{ options: { num_predict: -2 } }, undefined],
    [{ options: [5] }, undefined],
    [{ options: null, parameters: "x" }, undefined],
    ['{"max_tokens":1e999}', undefined],
    ['{"max_tokens":"5"}', undefined],
    ['{"max_tokens":[5]}', undefined],
    ['{"max_tokens":{"valueOf":5}}', undefined],
    ["{}", undefined],
  ])("of %j is %j", (body, bound) => {
    expect(read(body).maxOutputTokens).toBe(bound);
  });

  test.each(['{"max_tokens":1e308,"n":1e308}', '{"n_predict":1e308,"n":10}', '{"max_tokens":1.7e308}'])(
    "of %s is a number that can be counted with",
    (body) => {
      const { maxOutputTokens, measure } = read(body);
      expect(Number.isFinite(estimateTokens(measure, maxOutputTokens))).toBe(true);
    },
  );

  test("is never negative, and finite, or not there, whatever the fields hold", () => {
    const value = fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom("1", "-1", null, true, 1e308, -0));
    const names = ["max_tokens", "max_completion_tokens", "n_predict", "n", "options", "parameters"];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), (body) => {
        const { maxOutputTokens = 1, measure } = read(body);
        expect(maxOutputTokens).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(estimateTokens(measure, maxOutputTokens))).toBe(true);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
