/** A seat is free when the backend is done with a request, not when its client has gone. */
import { describe, expect, test } from "vitest";

import { WatchedClock } from "./support/raw-gate.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { hold, sendJson, startBackend, startRawBackend } from "./support/raw-backend.ts";
import { turns, until } from "./support/raw-client.ts";
import { CHAT, startSimpleGate, type TestGate } from "./support/raw-gate.ts";

const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

function atBackend({ gateway }: TestGate): number | undefined {
  return gateway.stats().deployments["deployment-0"]?.backends[0]?.in_flight;
}

describe("when a client goes away", () => {
  test("its seat is held until the backend has closed its side", async () => {
    const backend = await startRawBackend();
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1 });
    const [first, second] = [await gate.connect(), await gate.connect()];
    first.post("/v1/chat/completions", { prompt: "first" });
    const peer = await backend.peer(0);
    await peer.received("first");
    second.post("/v1/chat/completions", { prompt: "second" });
    await until(() => gate.gateway.stats().waiting === 1);
    first.socket.destroy();
    await until(() => peer.ended);
    await turns();
    expect(gate.gateway.stats()).toMatchObject({ in_flight: 1, waiting: 1, outcomes: { client_closed: 1 } });
    expect(atBackend(gate)).toBe(1);
    expect(backend.peers).toHaveLength(1);

    peer.socket.end();
    const next = await backend.peer(1);
    await next.received("second");
    expect(gate.gateway.stats()).toMatchObject({ in_flight: 1, waiting: 0 });
    next.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    expect((await second.answer()).status).toBe(200);
  });

  test("its seat is held though the backend still writes, and nobody gets to see that", async () => {
    const backend = await startRawBackend((peer) => void peer.received("first").then(() => peer.send(HEAD)));
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1 });
    const client = await gate.connect();
    client.post("/v1/chat/completions", { prompt: "first" });
    const peer = await backend.peer(0);
    await client.received("\r\n\r\n");
    client.socket.destroy();
    await until(() => peer.ended);
    for (let index = 0; index < 20; index++) {
      peer.send(`5\r\ntoken\r\n`);
      await turns(5);
      expect(atBackend(gate)).toBe(1);
    }
    peer.send("0\r\n\r\n");
    await turns();
    // The answer is whole, but only the closing says that the server is done with it.
    expect(atBackend(gate)).toBe(1);
    peer.socket.end();
    await until(() => gate.gateway.stats().in_flight === 0);
    expect(gate.gateway.stats().outcomes).toEqual({ client_closed: 1 });
  });

  test("a backend that does not close is cut off after the time of grace", async () => {
    const clock = new VirtualClock();
    const backend = await startRawBackend();
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1 }, { clock, abortGraceMs: 7_000 });
    const [first, second] = [await gate.connect(), await gate.connect()];
    first.post("/v1/chat/completions", { prompt: "first" });
    const peer = await backend.peer(0);
    await peer.received("first");
    second.post("/v1/chat/completions", { prompt: "second" });
    await until(() => gate.gateway.stats().waiting === 1);
    first.socket.destroy();
    await until(() => peer.ended);
    clock.advance(6_999);
    await turns();
    expect(backend.peers).toHaveLength(1);
    clock.advance(1);
    const next = await backend.peer(1);
    await next.received("second");
    second.socket.destroy();
    await until(() => next.ended);
    next.socket.end();
    await until(() => clock.pending === 0);
  });

  test("while its body is still coming, no backend hears of it", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head("POST /v1/chat/completions HTTP/1.1", "Host: gate", "Content-Length: 100").send("{");
    await until(() => gate.gateway.stats().open === 1);
    client.socket.destroy();
    await until(() => gate.gateway.stats().open === 0);
    expect(gate.gateway.stats()).toMatchObject({ admitted: 0, outcomes: { client_closed: 1 } });
    expect(backend.accepted).toBe(0);
  });

  test("while it waits, its place is free at once", async () => {
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1 });
    const [first, second, third] = [await gate.connect(), await gate.connect(), await gate.connect()];
    first.post("/v1/chat/completions", CHAT);
    await backend.visit(0);
    second.post("/v1/chat/completions", { prompt: "second" });
    await until(() => gate.gateway.stats().waiting === 1);
    third.post("/v1/chat/completions", { prompt: "third" });
    await until(() => gate.gateway.stats().waiting === 2);
    second.socket.destroy();
    await until(() => gate.gateway.stats().waiting === 1);
    sendJson((await backend.visit(0)).response, 200, {});
    expect((await backend.visit(1)).body.toString()).toContain("third");
    expect(gate.gateway.stats().deployments["deployment-0"]?.left_while_waiting).toBe(1);
  });

  test("while the connection to the backend is being made, the backend never gets the request", async () => {
    const clock = new WatchedClock();
    const backend = await startRawBackend();
    const gate = await startSimpleGate([backend.port], {}, { clock });
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    // The gate has just begun to connect.
    while (atBackend(gate) === 0) await turns(1);
    client.socket.resetAndDestroy();
    await until(() => gate.gateway.stats().open === 0 || backend.peers.some((peer) => peer.ended));
    for (const peer of backend.peers) peer.socket.end();
    await until(() => gate.gateway.stats().in_flight === 0 && backend.connections === 0);
    expect(clock.pending).toBe(0);
  });

  test("half of it is enough: a client that closes its side after its request gets no answer", async () => {
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect({ allowHalfOpen: true });
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    client.socket.end();
    await until(() => response.destroyed);
    await client.gone();
    expect(gate.gateway.stats().outcomes).toEqual({ client_closed: 1 });
  });
});

describe("a backend that is drained when a client goes away", () => {
  const drain = { onClientDisconnect: "drain" } as const;

  test("is read to the end, holds its seat until then, and keeps its connection", async () => {
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([{ port: backend.port, ...drain }], { maxConcurrent: 1 });
    const [first, second] = [await gate.connect(), await gate.connect()];
    first.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit(0);
    response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
    await first.received("data: 1");
    second.post("/v1/chat/completions", CHAT);
    first.socket.destroy();
    await until(() => gate.gateway.stats().waiting === 1 && gate.gateway.stats().outcomes["client_closed"] === 1);
    // More than all buffers on the way hold.
    for (let count = 0; count < 40; count++) response.write(Buffer.alloc(1_048_576));
    await until(() => response.writableLength === 0);
    expect(backend.visits).toHaveLength(1);
    expect(response.destroyed).toBe(false);
    response.end();
    sendJson((await backend.visit(1)).response, 200, {});
    expect((await second.answer()).status).toBe(200);
    expect(backend.accepted).toBe(1);
    expect(gate.gateway.stats().outcomes).toEqual({ client_closed: 1, completed: 1 });
  });

  test("has to begin to answer in time all the same", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([{ port: backend.port, ...drain }], {}, { clock });
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    client.socket.destroy();
    await until(() => gate.gateway.stats().outcomes["client_closed"] === 1);
    expect(gate.gateway.stats().in_flight).toBe(1);
    clock.advance(60_000);
    await until(() => gate.gateway.stats().in_flight === 0 && response.destroyed);
    expect(gate.lines).toEqual([]);
  });

  test("has to go on answering in time all the same", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([{ port: backend.port, ...drain }], {}, { clock });
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
    await client.received("data: 1");
    client.socket.destroy();
    await until(() => gate.gateway.stats().outcomes["client_closed"] === 1);
    clock.advance(60_000);
    await until(() => gate.gateway.stats().in_flight === 0 && response.destroyed);
    await until(() => clock.pending === 0);
  });

  test("is not drained for requests without a seat", async () => {
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([{ port: backend.port, ...drain }]);
    const client = await gate.connect();
    client.get("/slots");
    const { response } = await backend.visit();
    client.socket.destroy();
    await until(() => response.destroyed);
  });

  test("does not keep a gate from stopping", async () => {
    const backend = await startBackend(hold);
    const clock = new VirtualClock();
    const gate = await startSimpleGate([{ port: backend.port, ...drain }], {}, { clock });
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    client.socket.destroy();
    await until(() => gate.gateway.stats().outcomes["client_closed"] === 1);
    const stopped = gate.gateway.drain(0);
    clock.advance(0);
    await stopped;
    expect(gate.gateway.stats()).toMatchObject({ in_flight: 0, open: 0 });
    expect(response.destroyed).toBe(true);
  });
});
