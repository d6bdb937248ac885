import { keyOf } from "./keys.ts";

/** What the backend is asked for. */
export type Wanted =
  /** A JSON answer of 0.5 KB, at once. */
  | "json"
  /** A stream of events at a steady pace. */
  | "stream"
  /** A stream that says one thing and then stays open. */
  | "idle";

const PATHS: Readonly<Record<Wanted, string>> = {
  json: "/v1/chat/completions",
  stream: "/v1/chat/completions?answer=stream",
  idle: "/v1/chat/completions?answer=idle",
};

const BODY_BYTES = 1_024;

/** One request as OpenAI's client for Python sends it, with a body of 1 KB and one of the keys. Rendered once, sent many times. */
export function renderRequest(wanted: Wanted, port: number, keyIndex: number): Buffer {
  const body = chatBody(wanted !== "json");
  const head = [
    `POST ${PATHS[wanted]} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Accept-Encoding: gzip, deflate",
    "Connection: keep-alive",
    "Accept: application/json",
    "Content-Type: application/json",
    "User-Agent: OpenAI/Python 1.109.1",
    "X-Stainless-Lang: python",
    "X-Stainless-Package-Version: 1.109.1",
    "X-Stainless-OS: Linux",
    "X-Stainless-Arch: x64",
    "X-Stainless-Runtime: CPython",
    "X-Stainless-Runtime-Version: 3.12.3",
    `Authorization: Bearer ${keyOf(keyIndex)}`,
    "X-Stainless-Async: false",
    "x-stainless-retry-count: 0",
    "x-stainless-read-timeout: 600",
    `Content-Length: ${body.length}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`, "latin1");
}

function chatBody(stream: boolean): string {
  const render = (text: string): string =>
    JSON.stringify({
      messages: [
        { role: "system", content: "You are a helpful assistant. Answer briefly." },
        { role: "user", content: text },
      ],
      model: "llama-3.1-8b-instruct",
      max_tokens: 256,
      stream,
      temperature: 0.7,
    });
  const text = "Tell me how a queue in front of a server stays fair when one of its clients asks all the time. ".repeat(
    12,
  );
  return render(text.slice(0, BODY_BYTES - render("").length));
}
