/** Answers that come bit by bit: each bit at once, and no more of them than the client takes. */
import type { ServerResponse } from "node:http";

import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { startBackend } from "./support/raw-backend.ts";
import { turns, until } from "./support/raw-client.ts";
import { CHAT, startSimpleGate } from "./support/raw-gate.ts";

const SSE = { "content-type": "text/event-stream" };
const MEGABYTE = Buffer.alloc(1_048_576, "x");

/** Bytes that a backend's socket has handed to the kernel. */
function sent({ socket }: ServerResponse): number {
  return socket === null ? 0 : socket.bytesWritten - socket.writableLength;
}

/** Writes until the kernel takes no more for a good while. */
async function stalled(response: ServerResponse): Promise<void> {
  let before = -1;
  await until(() => response.writableNeedDrain);
  while (before !== sent(response)) {
    before = sent(response);
    await turns(500);
  }
}

describe("a stream", () => {
  test("reaches the client chunk by chunk, each before the next is written", async () => {
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", { ...CHAT, stream: true });
    const { response } = await backend.visit();
    response.writeHead(200, SSE);
    for (let index = 0; index < 20; index++) {
      response.write(`data: ${index}\n\n`);
      await client.received(`data: ${index}\n\n`);
    }
    response.end("data: [DONE]\n\n");
    const answer = await client.answer();
    expect(answer.chunks).toHaveLength(21);
    expect(answer.complete).toBe(true);
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
  });

  test("shows its headers before its first chunk", async () => {
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    response.writeHead(200, SSE).flushHeaders();
    await client.received("\r\n\r\n");
    expect(client.answers[0]).toMatchObject({ status: 200, body: "", complete: false });
    response.end("data: 1\n\n");
    expect((await client.answer()).body).toBe("data: 1\n\n");
  });

  test("keeps its connection alive afterwards", async () => {
    const backend = await startBackend(({ response }) => void response.writeHead(200, SSE).end("data: 1\n\n"));
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    for (const index of [0, 1, 2]) {
      client.post("/v1/chat/completions", CHAT);
      expect((await client.answer(index)).body).toBe("data: 1\n\n");
    }
    expect(backend.accepted).toBe(1);
  });

  test("of bytes that are no text passes unchanged, wherever its chunks are cut", async () => {
    const bytes = Buffer.from('data: {"a":"h\u00e9\ud83d\ude00"}\r\n\r\n: ping\n\ndata:[DONE]\n\n\x00\xff\xfe', "utf8");
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    response.writeHead(200, SSE);
    for (const byte of bytes) {
      response.write(Buffer.from([byte]));
      await turns(3);
    }
    response.end();
    expect(Buffer.from((await client.answer()).body, "utf8").equals(bytes)).toBe(true);
  });

  test("ends at the backend when the client leaves, and frees its seat", async () => {
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    response.writeHead(200, SSE).write("data: 1\n\n");
    await client.received("data: 1");
    client.socket.destroy();
    await until(() => response.destroyed && gate.gateway.stats().in_flight === 0);
    expect(gate.gateway.stats().outcomes).toEqual({ client_closed: 1 });
    expect(gate.lines).toEqual([]);
  });

  test("is told apart by the answer's content type alone, and gets no length or chunks of its own", async () => {
    const backend = await startBackend(
      ({ response }) => void response.writeHead(200, { ...SSE, "content-length": 9 }).end("data: 1\n\n"),
    );
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", { ...CHAT, stream: false });
    const answer = await client.answer();
    expect(answer).toMatchObject({ body: "data: 1\n\n", chunks: [], complete: true });
    expect(answer.headers.get("content-length")).toBe("9");
  });
});

describe("a client that does not read", () => {
  test("makes the backend wait, with bounded memory in between, and gets everything once it reads", async () => {
    const total = 96;
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.socket.pause();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    response.writeHead(200, SSE);
    let written = 0;
    const write = (): void => {
      while (written < total) {
        written += 1;
        if (!response.write(MEGABYTE)) return void response.once("drain", write);
      }
      response.end();
    };
    write();
    await stalled(response);
    // What went out lies in the kernel's buffers of two connections and in one write of the gate's.
    expect(sent(response)).toBeLessThan(40 * MEGABYTE.length);
    expect(written).toBeLessThan(total);

    const other = await gate.connect();
    other.post("/v1/chat/completions", CHAT);
    const stream = (await backend.visit(1)).response;
    stream.writeHead(200, SSE);
    for (let index = 0; index < 5; index++) {
      stream.write(`data: ${index}\n\n`);
      await other.received(`data: ${index}\n\n`);
    }
    stream.end();
    expect((await other.answer()).complete).toBe(true);

    let received = 0;
    client.socket.removeAllListeners("data");
    client.socket.on("data", (chunk: Buffer) => (received += chunk.length));
    client.socket.resume();
    await until(() => response.writableFinished && received > total * MEGABYTE.length);
    expect(gate.gateway.stats().outcomes).toEqual({ completed: 2 });
  });

  test("is cut off when it has not read for as long as a backend may be silent", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port], {}, { clock });
    const client = await gate.connect();
    client.socket.pause();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    response.writeHead(200, SSE);
    const write = (): void => {
      while (!response.destroyed && response.write(MEGABYTE));
      if (!response.destroyed) response.once("drain", write);
    };
    write();
    await stalled(response);
    clock.advance(120_000);
    await until(() => response.destroyed && gate.gateway.stats().open === 0);
    expect(gate.gateway.stats().outcomes).toEqual({ client_closed: 1 });
    expect(clock.pending).toBe(0);
  });

  test("and leaves frees its seat, though the backend was paused", async () => {
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.socket.pause();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    response.writeHead(200, SSE);
    for (let count = 0; count < 40; count++) response.write(MEGABYTE);
    await stalled(response);
    client.socket.destroy();
    await until(() => gate.gateway.stats().in_flight === 0);
    expect(response.destroyed).toBe(true);
  });
});

test("a large request body reaches a backend that reads slowly, and other requests go on meanwhile", async () => {
  const backend = await startBackend(({ response }) => void response.end("ok"));
  const gate = await startSimpleGate([backend.port], {}, { server: { maxBodyBytes: 50_000_000 } });
  const [client, other] = [await gate.connect(), await gate.connect()];
  const body = { ...CHAT, filler: "x".repeat(20_000_000) };
  client.post("/v1/chat/completions", body);
  await until(() => gate.gateway.stats().buffered_bytes > 1_000_000);
  other.post("/v1/chat/completions", CHAT);
  expect((await other.answer()).status).toBe(200);
  expect((await client.answer()).status).toBe(200);
  expect(backend.visits.map((visit) => visit.body.length).sort((a, b) => a - b)).toEqual([
    JSON.stringify(CHAT).length,
    JSON.stringify(body).length,
  ]);
  expect(gate.gateway.stats().buffered_bytes).toBe(0);
});
