/** The answers of backends that are not plain 200s, on the wire. */
import { describe, expect, test } from "vitest";

import { sendJson, startBackend, startRawBackend } from "./support/raw-backend.ts";
import { errorOf } from "./support/raw-client.ts";
import type { Answer } from "./support/raw-answer.ts";
import { CHAT, startSimpleGate, type TestGate } from "./support/raw-gate.ts";

interface Told {
  readonly gate: TestGate;
  readonly answer: Answer;
}

/** One request to a backend that sends these bytes and, where told to, closes. */
async function relayed(bytes: string, { closes = false, method = "POST" } = {}): Promise<Told> {
  const backend = await startRawBackend((peer) => {
    void peer.received("\r\n\r\n").then(() => (closes ? peer.socket.end(bytes, "latin1") : peer.send(bytes)));
  });
  const gate = await startSimpleGate([backend.port]);
  const client = await gate.connect();
  if (method === "POST") client.post("/v1/chat/completions", CHAT);
  else client.head(`${method} /v1/x HTTP/1.1`, "Host: gate");
  return { gate, answer: await client.answer() };
}

describe("an answer without a body", () => {
  test("204 has neither body nor chunks", async () => {
    const { answer } = await relayed("HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n");
    expect(answer).toMatchObject({ status: 204, complete: true, chunks: [] });
    expect(answer.headers.has("transfer-encoding")).toBe(false);
    expect(answer.headers.get("x-a")).toBe("1");
  });

  test("304 keeps its headers", async () => {
    const { answer } = await relayed('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', { method: "GET" });
    expect(answer).toMatchObject({ status: 304, complete: true, chunks: [] });
    expect(answer.headers.get("etag")).toBe('"a"');
  });

  test("304 with the length that 200 would have is one", async () => {
    const bytes = "HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n";
    const { answer } = await relayed(bytes, { method: "GET" });
    expect(answer).toMatchObject({ status: 304, complete: true });
  });

  test("a length of 0 is one", async () => {
    const { answer } = await relayed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect(answer).toMatchObject({ status: 200, body: "", complete: true });
    expect(answer.headers.get("content-length")).toBe("0");
  });

  test("HEAD keeps the length that GET would have", async () => {
    const bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nContent-Type: a/b\r\n\r\n";
    const { answer } = await relayed(bytes, { method: "HEAD" });
    expect(answer).toMatchObject({ status: 200, body: "" });
    expect(answer.headers.get("content-length")).toBe("1234");
  });
});

describe("interim answers", () => {
  test.each(["102 Processing", "103 Early Hints\r\nLink: </a>; rel=preload"])("%s is passed over", async (interim) => {
    const { answer } = await relayed(`HTTP/1.1 ${interim}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`);
    expect(answer).toMatchObject({ status: 200, body: "ok", interim: [] });
    expect(answer.headers.has("link")).toBe(false);
  });

  test.each([
    ["101 Switching Protocols", "Connection: Upgrade\r\nUpgrade: websocket\r\n"],
    ["100 Continue", ""],
  ])("%s, for which nobody asked, breaks the backend's answer", async (interim, headers) => {
    const { answer } = await relayed(
      `HTTP/1.1 ${interim}\r\n${headers}\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
    );
    expect(answer.status).toBe(502);
    expect(errorOf(answer).code).toBe("backend_failed");
  });
});

describe("a redirect", () => {
  test.each([301, 302, 307, 308])("%i is relayed and not followed", async (status) => {
    const other = await startBackend();
    const backend = await startBackend(({ response }) => {
      response.writeHead(status, {
        location: `http://127.0.0.1:${other.port}/v1/chat/completions`,
        "content-length": 0,
      });
      response.end();
    });
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const answer = await client.answer();
    expect(answer.status).toBe(status);
    expect(answer.headers.get("location")).toContain(String(other.port));
    expect(other.accepted).toBe(0);
  });
});

describe("an error of the backend", () => {
  test.each([400, 401, 404, 409, 418, 422, 429, 500, 501])("%i is relayed as it is", async (status) => {
    const backend = await startBackend(({ response }) => {
      response.setHeader("retry-after", "7");
      sendJson(response, status, { error: { message: "the backend's own", code: status } });
    });
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const answer = await client.answer();
    expect(answer).toMatchObject({
      status,
      body: JSON.stringify({ error: { message: "the backend's own", code: status } }),
    });
    expect(answer.headers.get("retry-after")).toBe("7");
    expect(answer.headers.has("x-headgate-outcome")).toBe(false);
    expect(gate.gateway.stats().outcomes).toEqual(status < 500 ? { completed: 1 } : { backend_failed: 1 });
    expect(backend.visits).toHaveLength(1);
  });
});

describe("an answer by itself", () => {
  test("has its trailers dropped", async () => {
    const { answer } = await relayed(
      "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
    );
    expect(answer).toMatchObject({ status: 200, body: "ok", trailers: [], complete: true });
    expect(answer.headers.has("trailer")).toBe(false);
  });

  test("ends where the backend closes, if it says no length", async () => {
    const { answer } = await relayed("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end", { closes: true });
    expect(answer).toMatchObject({ status: 200, body: "to the end", complete: true });
  });

  test("of an HTTP/1.0 backend is relayed", async () => {
    const { answer } = await relayed("HTTP/1.0 200 OK\r\n\r\nold", { closes: true });
    expect(answer).toMatchObject({ status: 200, version: "1.1", body: "old" });
  });

  test("of several megabytes arrives byte for byte", async () => {
    const bytes = Buffer.alloc(
      3_000_000,
      Uint8Array.from({ length: 251 }, (_, index) => index),
    );
    const backend = await startBackend(({ response }) => {
      response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes.length });
      response.end(bytes);
    });
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    await client.answer();
    expect(client.bytes.subarray(-bytes.length).equals(bytes)).toBe(true);
  });

  test.each([
    ["latin1", "caf\u00e9"],
    ["UTF-8", Buffer.from("\u3053\u3093").toString("latin1")],
    ["nothing", ""],
  ])("may have a reason phrase in %s", async (_, reason) => {
    const { answer } = await relayed(`HTTP/1.1 200 ${reason}\r\nContent-Length: 2\r\n\r\nok`);
    expect(answer).toMatchObject({ status: 200, body: "ok" });
  });

  test("keeps header values above ASCII", async () => {
    const { answer } = await relayed("HTTP/1.1 200 OK\r\nX-A: caf\u00e9\r\nContent-Length: 2\r\n\r\nok");
    expect(answer.headers.get("x-a")).toBe("caf\u00e9");
  });

  test.each(["__proto__", "constructor", "toString"])("may have a header named %s", async (name) => {
    const { answer } = await relayed(`HTTP/1.1 200 OK\r\n${name}: x\r\nContent-Length: 2\r\n\r\nok`);
    expect(answer).toMatchObject({ status: 200, body: "ok" });
    expect(answer.headers.get(name.toLowerCase())).toBe("x");
  });
});

describe("what is no answer", () => {
  test.each([
    ["nonsense", "nonsense\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
    ["a status of 000", "HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\nok"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"],
    ["a length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["headers without end", `HTTP/1.1 200 OK\r\nX-Long: ${"a".repeat(70_000)}\r\n\r\n`],
    ["a control character in a value", "HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 2\r\n\r\nok"],
    ["HTTP/2", "\x00\x00\x12\x04\x00\x00\x00\x00\x00"],
  ])("%s becomes a 502 of the gate's", async (_, bytes) => {
    const { answer, gate } = await relayed(bytes);
    expect(answer.status).toBe(502);
    expect(errorOf(answer)).toMatchObject({ code: "backend_failed", type: "api_error" });
    expect(gate.gateway.stats().outcomes).toEqual({ backend_failed: 1 });
  });

  test("never reaches the log with its control characters", async () => {
    const { gate } = await relayed("HTTP/1.1 200 OK\r\nX-A: \x1b[31m\u202e\r\nX-B: a\x00\x07b\r\n\r\n");
    expect(gate.lines.map(({ message }) => message)).toContain("backend_failed");
    const said = gate.lines.flatMap(({ facts }) => Object.values(facts).map(String)).join();
    // oxlint-disable-next-line no-control-regex -- they are what must not be there
    expect(said).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });
});
