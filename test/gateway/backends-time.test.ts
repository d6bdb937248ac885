/** How long a backend may be silent. No test here waits: time is what the clock is told. */
import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { closedPort, hold, sendJson, startBackend } from "./support/raw-backend.ts";
import { errorOf, turns, until } from "./support/raw-client.ts";
import { CHAT, startSimpleGate, WatchedClock } from "./support/raw-gate.ts";

const TIMEOUTS = { connectMs: 5_000, firstByteMs: 60_000, idleMs: 20_000 };
const SSE = { "content-type": "text/event-stream" };

describe("a backend that does not begin to answer", () => {
  test("is given up after its time: 504, and it is told to stop", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port], { timeouts: TIMEOUTS }, { clock });
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    clock.advance(59_999);
    await turns();
    expect(client.answers).toHaveLength(0);
    clock.advance(1);
    const answer = await client.answer();
    expect(answer.status).toBe(504);
    expect(errorOf(answer)).toMatchObject({ code: "backend_timeout", type: "api_error" });
    expect(errorOf(answer).message).toContain("silent for 60s");
    await until(() => response.destroyed);
    expect(gate.gateway.stats().outcomes).toEqual({ backend_timeout: 1 });
    expect(gate.lines).toMatchObject([{ level: "error", message: "backend_timeout", facts: { failure: "timeout" } }]);
    await until(() => clock.pending === 0);
  });

  test("keeps its seat until it has let go", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port], { timeouts: TIMEOUTS, maxConcurrent: 1 }, { clock });
    const [first, second] = [await gate.connect(), await gate.connect()];
    first.post("/v1/chat/completions", CHAT);
    await backend.visit(0);
    clock.advance(30_000);
    second.post("/v1/chat/completions", CHAT);
    await until(() => gate.gateway.stats().waiting === 1);
    clock.advance(30_000);
    expect((await first.answer()).status).toBe(504);
    const { response } = await backend.visit(1);
    // The time of the second counts from when it was sent.
    clock.advance(59_999);
    sendJson(response, 200, {});
    expect((await second.answer()).status).toBe(200);
  });

  test("is not replaced by another one, which would make the client wait as long again", async () => {
    const clock = new VirtualClock();
    const [slow, other] = [await startBackend(hold), await startBackend()];
    const gate = await startSimpleGate([slow.port, other.port], { timeouts: TIMEOUTS }, { clock });
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    await slow.visit();
    clock.advance(60_000);
    expect((await client.answer()).status).toBe(504);
    expect(other.visits).toHaveLength(0);
  });

  test("is given up also while the connection is being made", async () => {
    const clock = new ImpatientClock(TIMEOUTS.firstByteMs);
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port], { timeouts: TIMEOUTS }, { clock });
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    expect((await client.answer()).status).toBe(504);
    expect(backend.visits).toHaveLength(0);
    client.get("/healthz");
    expect((await client.answer(1)).status).toBe(200);
  });

  test("is not saved by interim answers", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(({ response }) => response.writeProcessing());
    const gate = await startSimpleGate([backend.port], { timeouts: TIMEOUTS }, { clock });
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    await backend.visit();
    await turns();
    clock.advance(60_000);
    expect((await client.answer()).status).toBe(504);
  });
});

/** Runs what is scheduled for one certain delay right after the call that scheduled it. */
class ImpatientClock extends VirtualClock {
  readonly #delay: number;

  constructor(delay: number) {
    super();
    this.#delay = delay;
  }

  override after(delay: number, run: () => void): () => void {
    if (delay === this.#delay) process.nextTick(run);
    return super.after(delay, run);
  }
}

describe("a stream that falls silent", () => {
  test("ends with an error event, and the backend is told to stop", async () => {
    const clock = new WatchedClock();
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port], { timeouts: TIMEOUTS }, { clock });
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    response.writeHead(200, SSE).write("data: 1\n\n");
    await client.received("data: 1\n\n");
    clock.advance(20_000);
    const { body } = await client.answer();
    expect(body).toMatch(/^data: 1\n\ndata: \{"error":\{"message":"Headgate[^"]+ was silent for 20s\.".+\}\n\n$/);
    await until(() => response.destroyed);
    expect(gate.gateway.stats().outcomes).toEqual({ backend_broke_stream: 1 });
    await until(() => clock.pending === 0);
  });

  test("for less than its time goes on, however long it takes altogether", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port], { timeouts: TIMEOUTS }, { clock });
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    response.writeHead(200, SSE);
    for (let index = 0; index < 20; index++) {
      response.write(`data: ${index}\n\n`);
      await client.received(`data: ${index}\n\n`);
      clock.advance(19_999);
    }
    response.end("data: [DONE]\n\n");
    expect((await client.answer()).body).toMatch(/\[DONE\]\n\n$/);
    await until(() => clock.pending === 0);
  });

  test("right after its headers ends with the error event alone", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port], { timeouts: TIMEOUTS }, { clock });
    const client = await gate.connect();
    client.post("/v1/messages", CHAT);
    (await backend.visit()).response.writeHead(200, SSE).flushHeaders();
    await client.received("\r\n\r\n");
    clock.advance(20_000);
    expect((await client.answer()).body).toMatch(/^event: error\ndata: \{"type":"error"/);
  });

  test("of an answer that is no stream cuts the connection", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port], { timeouts: TIMEOUTS }, { clock });
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    (await backend.visit()).response.writeHead(200, { "content-length": 10 }).write("12345");
    await client.received("12345");
    clock.advance(20_000);
    await client.gone();
    expect(client.answers[0]).toMatchObject({ status: 200, body: "12345", complete: false });
  });
});

describe("a request that waits for a seat", () => {
  test("is 503 queue_timeout after the longest wait", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(hold);
    const queue = { maxLength: 8, maxWaitMs: 30_000, maxBytes: 1_000_000 };
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1, queue }, { clock });
    const [first, second] = [await gate.connect(), await gate.connect()];
    first.post("/v1/chat/completions", CHAT);
    await backend.visit();
    second.post("/v1/chat/completions", CHAT);
    await until(() => gate.gateway.stats().waiting === 1);
    clock.advance(30_000);
    const answer = await second.answer();
    expect(answer.status).toBe(503);
    expect(answer.headers.get("x-headgate-queue-ms")).toBe("30000");
    expect(errorOf(answer)).toMatchObject({ code: "queue_timeout", type: "service_unavailable_error" });
    first.socket.destroy();
    await until(() => clock.pending === 0);
  });

  test("counts its wait from the moment it arrived, the upload included", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(hold);
    const queue = { maxLength: 8, maxWaitMs: 30_000, maxBytes: 1_000_000 };
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1, queue }, { clock });
    const [first, second] = [await gate.connect(), await gate.connect()];
    first.post("/v1/chat/completions", CHAT);
    await backend.visit();
    const body = JSON.stringify(CHAT);
    second.head("POST /v1/completions HTTP/1.1", "Host: gate", `Content-Length: ${body.length}`).send(body.slice(0, 9));
    await until(() => gate.gateway.stats().open === 2);
    clock.advance(20_000);
    second.send(body.slice(9));
    await until(() => gate.gateway.stats().waiting === 1);
    clock.advance(10_000);
    expect((await second.answer()).headers.get("x-headgate-queue-ms")).toBe("10000");
  });

  test("leaves the queue when its client would have given up anyway", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1 }, { clock });
    const [first, second] = [await gate.connect(), await gate.connect()];
    first.post("/v1/chat/completions", CHAT);
    await backend.visit();
    second.post("/v1/chat/completions", CHAT, "X-Stainless-Timeout: 5");
    await until(() => gate.gateway.stats().waiting === 1);
    clock.advance(5_000);
    expect(errorOf(await second.answer()).code).toBe("queue_timeout");
  });

  test.each(["abc", "-1", "0", "Infinity", "1e999", ""])("is not moved by a timeout of %j", async (value) => {
    const clock = new VirtualClock();
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1 }, { clock });
    const [first, second] = [await gate.connect(), await gate.connect()];
    first.post("/v1/chat/completions", CHAT);
    await backend.visit();
    second.post("/v1/chat/completions", CHAT, `X-Stainless-Timeout: ${value}`);
    await until(() => gate.gateway.stats().waiting === 1);
    clock.advance(59_999);
    await turns();
    expect(gate.gateway.stats().waiting).toBe(1);
  });
});

test("the time to come back is never later than a minute where no backend is there", async () => {
  const clock = new WatchedClock();
  const gate = await startSimpleGate([await closedPort()], {}, { clock });
  const client = await gate.connect();
  client.post("/v1/chat/completions", CHAT);
  await client.answer();
  for (const backoff of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000]) {
    await until(() => clock.delays.at(-1) === backoff);
    clock.advance(backoff);
  }
  client.post("/v1/chat/completions", CHAT);
  const answer = await client.answer(1);
  expect(answer.headers.get("retry-after")).toBe("30");
  expect(answer.headers.has("x-should-retry")).toBe(false);
});
