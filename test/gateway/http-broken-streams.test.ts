/** Answers that break: nobody takes them for whole, and whoever can be told is told. */
import { describe, expect, test } from "vitest";

import { startBackend, startRawBackend } from "./support/raw-backend.ts";
import { errorOf } from "./support/raw-client.ts";
import { CHAT, startSimpleGate, type TestGate } from "./support/raw-gate.ts";

interface Break {
  readonly path?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the backend writes before it breaks; undefined breaks right after the headers. */
  readonly sent?: string;
  readonly version?: "1.0" | "1.1";
}

interface Broken {
  readonly text: string;
  readonly complete: boolean;
  readonly gate: TestGate;
  readonly isReset: boolean;
}

/** A backend that breaks off after its first bytes, as the client sees it. */
async function broken({
  path = "/v1/chat/completions",
  type,
  headers = {},
  sent,
  version = "1.1",
}: Break): Promise<Broken> {
  const backend = await startBackend(() => {});
  const gate = await startSimpleGate([backend.port]);
  const client = await gate.connect();
  let isReset = false;
  client.socket.on("error", () => (isReset = true));
  const body = JSON.stringify({ ...CHAT, stream: true });
  client.head(`POST ${path} HTTP/${version}`, "Host: gate", `Content-Length: ${body.length}`).send(body);
  const { response } = await backend.visit();
  response.writeHead(200, { "content-type": type ?? "text/event-stream", ...headers });
  if (sent === undefined) response.flushHeaders();
  else response.write(sent);
  await client.received(sent?.slice(-8) ?? "\r\n\r\n");
  response.destroy();
  if (
    version === "1.0" ||
    !/event-stream|ndjson|jsonl/i.test(type ?? "event-stream") ||
    "content-encoding" in headers
  ) {
    await client.gone();
  }
  const { body: text, complete } = await client.answer();
  return { text, complete, gate, isReset };
}

const MESSAGE =
  "Headgate (the gate in front of the model): the backend of deployment-0 closed the connection before its answer was complete.";
const OPENAI = `data: {"error":{"message":"${MESSAGE}","type":"api_error","param":null,"code":"backend_failed"}}\n\n`;

describe("a stream of events that breaks", () => {
  test("ends with an error event in OpenAI's shape, and without [DONE]", async () => {
    const { text, complete, gate } = await broken({ sent: "data: 1\n\n" });
    expect(text).toBe(`data: 1\n\n${OPENAI}`);
    expect(complete).toBe(true);
    expect(gate.gateway.stats().outcomes).toEqual({ backend_broke_stream: 1 });
    expect(gate.lines.map(({ level, message }) => [level, message])).toEqual([["error", "backend_broke_stream"]]);
  });

  test("ends with one in Anthropic's shape on /v1/messages", async () => {
    const { text } = await broken({ path: "/v1/messages", sent: "event: ping\ndata: {}\n\n" });
    const [, event = "", data = ""] = /^event: ping\ndata: \{\}\n\n(event: \w+)\ndata: (.+)\n\n$/.exec(text) ?? [];
    expect(event).toBe("event: error");
    expect(JSON.parse(data)).toEqual({
      type: "error",
      error: { type: "api_error", message: MESSAGE },
      request_id: expect.stringMatching(/^hg-/),
    });
  });

  test("ends with a line in Ollama's shape where it is NDJSON", async () => {
    const type = "application/x-ndjson";
    const { text } = await broken({ path: "/api/chat", type, sent: '{"done":false}\n' });
    expect(text).toBe(`{"done":false}\n{"error":"${MESSAGE}"}\n`);
  });

  test.each([
    ["/api/generate", "application/x-ndjson; charset=utf-8", '{"response":"hal'],
    ["/v1/chat/completions", "text/event-stream", 'data: {"a":1'],
  ])("is cut where a line of %s broke in its middle, since no client could parse the half of it", async (...given) => {
    const [path, type, sent] = given;
    const { text, complete } = await broken({ path, type, sent });
    expect(text).toBe(sent);
    expect(complete).toBe(false);
  });

  test("shows the error event alone where it breaks before its first event", async () => {
    expect((await broken({})).text).toBe(OPENAI);
  });

  test.each([
    ["after one line of an event", "data: 1\n"],
    ["after one line of an event that ends in CRLF", "data: 1\r\n"],
    ["between the two halves of a CRLF", "data: 1\r\n\r"],
  ])("keeps the error event apart from one that breaks %s", async (_, sent) => {
    const { text } = await broken({ sent });
    const events = text.split(/\r\n\r\n|\n\n|\r\n\n/).filter((event) => event.trim() !== "");
    expect(events.at(-1)?.trim()).toBe(OPENAI.trim());
    expect(text.startsWith(sent)).toBe(true);
  });

  test.each(["Text/Event-Stream;charset=UTF-8", "text/event-stream ; x=y"])("is known by the type %s", async (type) => {
    expect((await broken({ type, sent: "data: 1\n\n" })).text).toContain(OPENAI);
  });

  test("of HTTP/1.0 ends with the error event too", async () => {
    expect((await broken({ version: "1.0", sent: "data: 1\n\n" })).text).toBe(`data: 1\n\n${OPENAI}`);
  });

  test("is cut where it is compressed, since an event in plain text would be garbage", async () => {
    const { text, complete } = await broken({ headers: { "content-encoding": "gzip" }, sent: "\u001f\u008b12345678" });
    expect(text).not.toContain("error");
    expect(complete).toBe(false);
  });

  test("keeps the length that it announced", async () => {
    const { text, complete } = await broken({
      type: "text/plain",
      headers: { "content-length": "1000" },
      sent: "12345678",
    });
    expect(text).toBe("12345678");
    expect(complete).toBe(false);
  });
});

describe("any other answer that breaks", () => {
  test.each([
    ["with a length", { "content-length": "100" }],
    ["in chunks", {}],
  ])("is cut off, %s", async (_, headers) => {
    const { text, complete, gate } = await broken({ type: "application/json", headers, sent: '{"choices":[{"' });
    expect(text).toBe('{"choices":[{"');
    expect(complete).toBe(false);
    expect(gate.gateway.stats().outcomes).toEqual({ backend_broke_stream: 1 });
  });

  test("is reset for HTTP/1.0, where a plain end would mean that it is whole", async () => {
    const { isReset } = await broken({ type: "application/json", version: "1.0", sent: '{"choices":[{"' });
    expect(isReset).toBe(true);
  });
});

describe("a stream of events with a length", () => {
  test("that breaks is cut off, since the event would not fit in", async () => {
    const { text, complete } = await broken({ headers: { "content-length": "1000" }, sent: "data: 1\n\n" });
    expect(text).toBe("data: 1\n\n");
    expect(complete).toBe(false);
  });
});

describe("an answer that breaks before its first byte", () => {
  test.each(["", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"])("after %j is 502", async (sent) => {
    const backend = await startRawBackend((peer) => {
      void peer.received("hello").then(() => peer.socket.end(sent));
    });
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", { ...CHAT, stream: true });
    const answer = await client.answer();
    expect(answer.status).toBe(502);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("x-headgate-outcome")).toBe("backend_failed");
    expect(errorOf(answer)).toEqual({ message: MESSAGE, type: "api_error", param: null, code: "backend_failed" });
    expect(backend.peers).toHaveLength(1);
    // The connection is as good as before.
    client.get("/healthz");
    expect((await client.answer(1)).status).toBe(200);
  });
});

describe("a gate that stops", () => {
  test("ends a stream with an error event that says so", async () => {
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
    await client.received("data: 1\n\n");
    await gate.gateway.drain(0);
    const { body } = await client.answer();
    expect(body).toContain('"code":"shutting_down"');
    expect(body).not.toContain("[DONE]");
    expect(gate.gateway.stats().outcomes).toEqual({ draining: 1 });
  });

  test("answers 503 where nothing has been sent yet", async () => {
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const { request } = await backend.visit();
    await gate.gateway.drain(0);
    const answer = await client.answer();
    expect(answer.status).toBe(503);
    expect(answer.headers.get("connection")).toBe("close");
    expect(errorOf(answer).code).toBe("shutting_down");
    expect(request.destroyed).toBe(true);
  });
});
