import type { Wanted } from "./request.ts";

const ANSWER_BYTES = 512;
const EVENT_BYTES = 200;

const COMMON = ["HTTP/1.1 200 OK", "date: Thu, 01 Jan 2026 00:00:00 GMT", "server: uvicorn"];

/** What model servers say that a request used. */
const USAGE = { prompt_tokens: 240, completion_tokens: 60, total_tokens: 300 };

/** A whole JSON answer. */
export const JSON_ANSWER: Buffer = message(
  ["content-type: application/json", `content-length: ${ANSWER_BYTES}`],
  padded(
    (text) =>
      JSON.stringify({
        ...completion("chat.completion", { message: { role: "assistant", content: text } }),
        usage: USAGE,
      }),
    ANSWER_BYTES,
  ),
);

/** The head of a stream. */
export const STREAM_HEAD: Buffer = message(
  ["content-type: text/event-stream; charset=utf-8", "transfer-encoding: chunked"],
  "",
);

/** One event in one chunk. */
export const STREAM_CHUNK: Buffer = chunk(
  padded(
    (text) => `data: ${JSON.stringify(completion("chat.completion.chunk", { delta: { content: text } }))}\n\n`,
    EVENT_BYTES,
  ),
);

/** What the stream used, the last event and the end, as servers write them that were asked for the usage. */
export const STREAM_END: Buffer = Buffer.concat([
  chunk(`data: ${JSON.stringify({ ...completion("chat.completion.chunk"), usage: USAGE })}\n\n`),
  chunk("data: [DONE]\n\n"),
  Buffer.from("0\r\n\r\n"),
]);

/** What a refusal without a gate says. */
export const BARE_REFUSAL = JSON.stringify({
  error: { message: "Too many requests.", type: "rate_limit_error", param: null, code: "rate_limit_exceeded" },
});

/** What the request wants, from its head. */
export function wantedOf(head: string): Wanted {
  const line = head.slice(0, head.indexOf("\r\n"));
  if (line.includes("answer=stream")) return "stream";
  return line.includes("answer=idle") ? "idle" : "json";
}

function completion(object: string, choice?: object): object {
  const choices = choice === undefined ? [] : [{ index: 0, ...choice }];
  return { id: "chatcmpl-0123456789", object, created: 1_767_225_600, model: "m", choices };
}

function padded(render: (text: string) => string, length: number): string {
  return render("x".repeat(length - render("").length));
}

function message(headers: readonly string[], body: string): Buffer {
  return Buffer.from(`${[...COMMON, ...headers].join("\r\n")}\r\n\r\n${body}`, "latin1");
}

function chunk(text: string): Buffer {
  return Buffer.from(`${text.length.toString(16)}\r\n${text}\r\n`, "latin1");
}
