import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { StreamReader } from "../../src/lab/http/stream-reader.ts";
import type { AnswerEnd } from "../../src/lab/load/types.ts";
import type { Api } from "../../src/lab/scenario/types.ts";
import { chunk, event } from "./kit.ts";

interface Reading {
  readonly pieces: number;
  readonly end: AnswerEnd;
}

function read(api: Api, pieces: readonly Buffer[], ending: "finish" | "cut" = "finish"): Reading {
  const reader = new StreamReader(api);
  const counted = pieces.reduce((sum, piece) => sum + reader.push(piece), 0);
  if (ending === "cut") return { pieces: counted, end: reader.cut() };
  const { content, end } = reader.finish();
  return { pieces: counted + content, end };
}

const text = (value: string | null) => event({ choices: [{ index: 0, text: value, finish_reason: null }] });
const named = (type: string, fields: object) => `event: ${type}\n${event({ type, ...fields })}`;
const delta = (fields: object) => named("content_block_delta", { index: 0, delta: fields });
const usage = event({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 9, total_tokens: 16 } });

const STREAMS: Readonly<Record<Api, { readonly bytes: string; readonly pieces: number }>> = {
  chat: {
    bytes:
      ": a comment\n\n" +
      chunk({ role: "assistant", content: "" }) +
      chunk({ content: 'say "content":"x" — é🌊' }) +
      chunk({ reasoning_content: "hm" }) +
      chunk({ content: null }) +
      chunk({ tool_calls: [{ index: 0, function: { name: "f", arguments: "" } }] }) +
      chunk({}, "stop") +
      usage +
      event("[DONE]"),
    pieces: 3,
  },
  completions: {
    bytes:
      text("") + text("water\n\ndata: ") + text('"') + text(null) + usage.replaceAll("\n", "\r\n") + event("[DONE]"),
    pieces: 2,
  },
  messages: {
    bytes:
      named("message_start", {
        message: {
          content: [],
          stop_reason: null,
          usage: { input_tokens: 4, cache_read_input_tokens: 3, output_tokens: 1 },
        },
      }) +
      named("content_block_start", { index: 0, content_block: { type: "text", text: "" } }) +
      named("ping", {}) +
      delta({ type: "thinking_delta", thinking: "hm" }) +
      delta({ type: "text_delta", text: "" }) +
      delta({ type: "text_delta", text: 'é "text":"🌊' }) +
      delta({ type: "input_json_delta", partial_json: '{"a":' }) +
      delta({ type: "signature_delta", signature: "abc" }) +
      named("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 9 } }) +
      named("message_stop", {}),
    pieces: 3,
  },
};
const APIS: readonly Api[] = ["chat", "completions", "messages"];
const WHOLE: AnswerEnd = { kind: "complete", inputTokens: 7, outputTokens: 9 };

describe.each(APIS)("a stream of %s", (api) => {
  const bytes = Buffer.from(STREAMS[api].bytes);
  const expected = { pieces: STREAMS[api].pieces, end: WHOLE };

  test("has its content, its usage and its end", () => {
    expect(read(api, [bytes])).toEqual(expected);
  });

  test("split in two at any byte says the same", () => {
    for (let at = 0; at <= bytes.length; at++) {
      expect(read(api, [bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected);
    }
  });

  test("split into any pieces says the same", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 60 }), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const pieces = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
        expect(read(api, pieces)).toEqual(expected);
      }),
    );
  });

  test("cut off before its last event is incomplete, and after it is complete", () => {
    const last = bytes.lastIndexOf("data:");
    const lineEnd = bytes.indexOf("\n", last) + 1;
    for (let at = 0; at < bytes.length; at++) {
      const { end } = read(api, [bytes.subarray(0, at)], "cut");
      expect(end).toEqual(at >= lineEnd ? WHOLE : { kind: "incomplete" });
    }
  });
});

describe("a stream that ends in good order", () => {
  test("is complete if it has said why, also without a last event and a line break", () => {
    const bytes = Buffer.from((chunk({ content: "a" }) + chunk({}, "length")).trimEnd());
    expect(read("chat", [bytes])).toEqual({
      pieces: 1,
      end: { kind: "complete", inputTokens: undefined, outputTokens: undefined },
    });
    expect(read("chat", [bytes], "cut").end).toEqual({ kind: "incomplete" });
  });

  test("is incomplete if it has not, or if it has told of an error", () => {
    const incomplete = { kind: "incomplete" };
    expect(read("chat", [Buffer.from(chunk({ content: "a" }))]).end).toEqual(incomplete);
    const errors = [
      { error: { message: "out of memory" } },
      { object: "error", message: "x" },
      { type: "error", error: {} },
    ];
    for (const error of errors) {
      const bytes = Buffer.from(chunk({ content: "a" }) + event(error) + event("[DONE]"));
      expect(read("chat", [bytes])).toEqual({ pieces: 1, end: incomplete });
    }
    const { bytes } = STREAMS.messages;
    const unstopped = bytes.slice(0, bytes.indexOf("event: message_stop"));
    expect(read("messages", [Buffer.from(unstopped)]).end).toEqual(incomplete);
  });

  test("is incomplete if a line of it is longer than any event", () => {
    const reader = new StreamReader("chat");
    for (let mib = 0; mib < 6; mib++) reader.push(Buffer.alloc(2 ** 20, "x"));
    reader.push(Buffer.from(`\n${event("[DONE]")}`));
    expect(reader.finish().end).toEqual({ kind: "incomplete" });
  });
});

test("content is what a parser of every event finds, and a search for the bare name would find more", () => {
  const words = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom("", '"', '\\"', '"content":"x', "\n", "é🌊"),
  );
  const part = fc.record({
    key: fc.constantFrom("content", "role", "reasoning_content", "reasoning", "refusal"),
    value: fc.oneof({ weight: 4, arbitrary: words }, { weight: 1, arbitrary: fc.constant(null) }),
    spaced: fc.boolean(),
  });
  let naive = 0;
  let right = 0;
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      const events = parts.map(({ key, value, spaced }) => {
        const object = { choices: [{ delta: { [key]: value }, logprobs: { content: [{ token: "t" }] } }] };
        return `data: ${spaced ? JSON.stringify(object, undefined, 1).replaceAll("\n", "") : JSON.stringify(object)}\n\n`;
      });
      const isContent = ({ key, value }: { key: string; value: string | null }): boolean =>
        key !== "role" && key !== "refusal" && value !== null && value !== "";
      const expected = parts.filter(isContent).length;
      expect(read("chat", [Buffer.from(events.join(""))]).pieces).toBe(expected);
      naive += events.filter((line) => line.includes('"content"')).length;
      right += expected;
    }),
  );
  expect(naive).toBeGreaterThan(right);
});
