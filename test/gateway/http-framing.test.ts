/** Where a request ends: framing, sizes, and what is refused before a backend could read it differently. */
import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { startBackend } from "./support/raw-backend.ts";
import { errorOf, turns, until } from "./support/raw-client.ts";
import { CHAT, startSimpleGate } from "./support/raw-gate.ts";

const BODY = JSON.stringify(CHAT);
const POST = "POST /v1/chat/completions HTTP/1.1";

describe("framing", () => {
  test("a chunked body is forwarded whole, with a length, and without its extensions and trailers", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head(POST, "Host: gate", "Transfer-Encoding: Chunked", "Trailer: X-Sum, Authorization", "TE: trailers");
    const half = BODY.length >> 1;
    client.send(`${half.toString(16)};name=value\r\n${BODY.slice(0, half)}\r\n`);
    await turns();
    expect(backend.visits).toHaveLength(0);
    client.send(`${(BODY.length - half).toString(16)}\r\n${BODY.slice(half)}\r\n`);
    client.send("0\r\nX-Sum: 1\r\nAuthorization: Bearer smuggled\r\n\r\n");
    expect((await client.answer()).status).toBe(200);
    const { fields, body, request } = await backend.visit();
    expect(body.toString()).toBe(BODY);
    expect(fields).toContainEqual(["content-length", String(BODY.length)]);
    const gone = new Set(["transfer-encoding", "trailer", "te", "x-sum", "authorization"]);
    expect(fields.filter(([name]) => gone.has(name))).toEqual([]);
    expect(request.rawTrailers).toEqual([]);
    // The connection goes on after it.
    client.get("/healthz");
    expect((await client.answer(1)).status).toBe(200);
  });

  test.each([
    ["a coding other than chunked", ["Transfer-Encoding: gzip, chunked"], 501],
    ["chunked twice", ["Transfer-Encoding: chunked, chunked"], 400],
    ["chunked in two fields", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], 400],
    ["a coding after chunked", ["Transfer-Encoding: chunked, gzip"], 400],
    ["no chunked at the end", ["Transfer-Encoding: gzip"], 501],
    ["identity", ["Transfer-Encoding: identity"], 501],
    ["chunked in quotes", ['Transfer-Encoding: "chunked"'], 501],
    ["a length and chunks", ["Content-Length: 5", "Transfer-Encoding: chunked"], 400],
    ["chunks and a length", ["Transfer-Encoding: chunked", "Content-Length: 5"], 400],
    ["two lengths that differ", ["Content-Length: 5", "Content-Length: 6"], 400],
    ["two lengths that agree", ["Content-Length: 5", "Content-Length: 5"], 400],
    ["a list of lengths", ["Content-Length: 5, 5"], 400],
    ["a negative length", ["Content-Length: -5"], 400],
    ["a signed length", ["Content-Length: +5"], 400],
    ["a hexadecimal length", ["Content-Length: 0x5"], 400],
    ["an empty length", ["Content-Length:"], 400],
    ["a length beyond all numbers", ["Content-Length: 99999999999999999999"], 400],
    ["a space before the colon", ["Content-Length : 5"], 400],
    ["a folded line", ["X-Folded: a", " b"], 400],
    ["a line without a colon", ["nonsense"], 400],
    ["a control character in a value", ["X-Bad: a\x00b"], 400],
    ["a line feed alone in a value", ["X-Bad: a\nTransfer-Encoding: chunked"], 400],
    ["a carriage return alone in a value", ["X-Bad: a\rb"], 400],
    ["a name that is no token", ["X(Bad): a"], 400],
  ])("%s is refused", async (_, headers, status) => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head(POST, "Host: gate", ...headers).send("0\r\n\r\n");
    expect((await client.answer()).status).toBe(status);
    await client.gone();
    expect(client.answers).toHaveLength(1);
    expect(backend.visits).toHaveLength(0);
  });

  test.each([
    ["no HTTP at all", "nonsense\r\n\r\n"],
    ["HTTP/2 without an upgrade", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["an unknown version", "GET /v1/models HTTP/3.0\r\nHost: gate\r\n\r\n"],
    ["an unknown method", "STEAL /v1/models HTTP/1.1\r\nHost: gate\r\n\r\n"],
    ["a method in lower case", "get /v1/models HTTP/1.1\r\nHost: gate\r\n\r\n"],
    ["a space in the target", "GET /v1/ models HTTP/1.1\r\nHost: gate\r\n\r\n"],
    ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["no Host", "GET /v1/models HTTP/1.1\r\n\r\n"],
    [
      "bytes after a complete chunked body's end",
      `${POST}\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx\r\n\r\n`,
    ],
    ["a chunk size that is no number", `${POST}\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n`],
    ["a negative chunk size", `${POST}\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n`],
    [
      "a chunk size beyond all numbers",
      `${POST}\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n`,
    ],
    ["a chunk longer than its size", `${POST}\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n`],
  ])("%s is 400", async (_, bytes) => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.send(bytes);
    expect((await client.answer()).status).toBe(400);
    await client.gone();
    expect(client.answers).toHaveLength(1);
    expect(backend.visits).toHaveLength(0);
  });

  test.each(["GET /v1/models", "GET /v1/models HTTP/2.0\r\nHost: gate"])(
    "%s is another version, and is 505",
    async (head) => {
      const backend = await startBackend();
      const gate = await startSimpleGate([backend.port]);
      const client = await gate.connect();
      client.send(`${head}\r\n\r\n`);
      expect((await client.answer()).status).toBe(505);
      await client.gone();
      expect(backend.visits).toHaveLength(0);
    },
  );

  test("chunks in HTTP/1.0 are refused, since a proxy of that age would not see where they end", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head("POST /v1/x HTTP/1.0", "Connection: keep-alive", "Transfer-Encoding: chunked").send("0\r\n\r\n");
    expect((await client.answer()).status).toBe(400);
    await client.gone();
    expect(backend.visits).toHaveLength(0);
  });

  test("a request inside another one's body is a body", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    const inner = "GET /v1/secret HTTP/1.1\r\nHost: gate\r\n\r\n";
    client.head("POST /v1/anything HTTP/1.1", "Host: gate", `Content-Length: ${inner.length}`).send(inner);
    expect((await client.answer()).status).toBe(200);
    client.get("/healthz");
    await client.answer(1);
    expect(backend.visits.map(({ body }) => body.toString())).toEqual([inner]);
  });

  test("a body that the client breaks off never reaches the backend", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head(POST, "Host: gate", `Content-Length: ${BODY.length}`).send(BODY.slice(0, -1));
    await until(() => gate.gateway.stats().buffered_bytes === BODY.length - 1);
    client.socket.end();
    await client.gone();
    await until(() => gate.gateway.stats().open === 0);
    expect(gate.gateway.stats()).toMatchObject({ buffered_bytes: 0, outcomes: { client_closed: 1 }, admitted: 0 });
    expect(backend.visits).toHaveLength(0);
  });

  test("a client that keeps its side open after bad bytes is cut off", async () => {
    const clock = new VirtualClock();
    const gate = await startSimpleGate([1], {}, { clock });
    const client = await gate.connect({ allowHalfOpen: true });
    client.head(POST, "Host: gate", "Transfer-Encoding: chunked").send("1\r\na\r\nxyz\r\n");
    expect((await client.answer()).status).toBe(400);
    await until(() => client.ended);
    await turns();
    expect(gate.gateway.stats()).toMatchObject({ open: 1, buffered_bytes: 1 });
    clock.advance(1_000);
    await until(() => gate.gateway.stats().open === 0);
    expect(gate.gateway.stats().buffered_bytes).toBe(0);
    expect(clock.pending).toBe(0);
  });
});

describe("sizes", () => {
  test("headers above the limit are 431", async () => {
    const gate = await startSimpleGate([1]);
    const client = await gate.connect();
    client.get("/v1/models", `X-Long: ${"a".repeat(20_000)}`);
    expect((await client.answer()).status).toBe(431);
    await client.gone();
  });

  test("chunk extensions above the limit are 413", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head(POST, "Host: gate", "Transfer-Encoding: chunked").send(`2;${"a".repeat(20_000)}\r\n{}\r\n0\r\n\r\n`);
    expect((await client.answer()).status).toBe(413);
    expect(backend.visits).toHaveLength(0);
  });

  test("a declared length above the cap is refused before the body comes", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port], {}, { server: { maxBodyBytes: 1_000 } });
    const client = await gate.connect();
    client.head(POST, "Host: gate", "Content-Length: 1001");
    const answer = await client.answer();
    expect(answer.status).toBe(413);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "x-should-retry": "false",
      connection: "close",
      "x-headgate-outcome": "request_too_large",
    });
    expect(errorOf(answer)).toMatchObject({ code: "request_too_large", type: "invalid_request_error" });
    expect(backend.visits).toHaveLength(0);
  });

  test("a body of exactly the cap is taken", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port], {}, { server: { maxBodyBytes: 1_000 } });
    const client = await gate.connect();
    client.post("/v1/chat/completions", BODY.padEnd(1_000));
    expect((await client.answer()).status).toBe(200);
  });

  test("a chunked body is refused as soon as it is too large, and a client that is still sending can read why", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port], {}, { server: { maxBodyBytes: 1_000 } });
    const client = await gate.connect();
    client.head(POST, "Host: gate", "Transfer-Encoding: chunked").send(`3e8\r\n${"a".repeat(1_000)}\r\n`);
    await until(() => gate.gateway.stats().buffered_bytes === 1_000);
    expect(client.answers).toHaveLength(0);
    client.send("1\r\na\r\n");
    expect((await client.answer()).status).toBe(413);
    expect(gate.gateway.stats().buffered_bytes).toBe(0);
    // More than the kernel holds: it must be read, or the client never gets to its end.
    for (let count = 0; count < 100; count++) client.send(`10000\r\n${"a".repeat(65_536)}\r\n`);
    expect(client.closed).toBe(false);
    client.send("0\r\n\r\n");
    await client.gone();
    expect(client.ended).toBe(true);
    expect(client.answers).toHaveLength(1);
    expect(backend.visits).toHaveLength(0);
  });

  test("an upload that goes on after its refusal is cut off in the end", async () => {
    const clock = new VirtualClock();
    const gate = await startSimpleGate([1], {}, { clock, server: { maxBodyBytes: 1_000 } });
    const client = await gate.connect();
    client.head(POST, "Host: gate", "Content-Length: 100000000").send("a");
    expect((await client.answer()).status).toBe(413);
    await turns();
    expect(client.ended).toBe(false);
    clock.advance(1_000);
    await client.gone();
    expect(clock.pending).toBe(0);
  });

  test("bodies in memory have a limit together, and the one that is too much is told to come back", async () => {
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port], { queue: undefined }, { maxBufferedBytes: BODY.length + 10 });
    const [first, second] = [await gate.connect(), await gate.connect()];
    first.post("/v1/chat/completions", CHAT);
    await backend.visit(0);
    expect(gate.gateway.stats().buffered_bytes).toBe(BODY.length);
    second.post("/v1/chat/completions", CHAT);
    const answer = await second.answer();
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(errorOf(answer).code).toBe("server_is_overloaded");
    first.socket.destroy();
    await until(() => gate.gateway.stats().buffered_bytes === 0);
  });
});
