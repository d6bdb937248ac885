/** An answer that breaks after its beginning: no client takes it for whole. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

import * as anthropic from "@anthropic-ai/sdk";
import * as openai from "openai";
import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { LlamaUnavailable, startLlama } from "../llama/fixture.ts";
import {
  anthropicAt,
  ask,
  askEndlessly,
  failureOf,
  type Gate,
  inFrontOf,
  openaiAt,
  openGate,
  until,
  useSimulatedModel,
} from "./support.ts";

const BROKE = /the backend of default closed the connection before its answer was complete\./;
const model = useSimulatedModel();

/** Begins an endless stream through one of the libraries. */
type Open = (gate: Gate, headers?: Record<string, string>) => PromiseLike<AsyncIterable<unknown>>;

const STREAMS: readonly (readonly [whose: string, open: Open])[] = [
  ["OpenAI's", (at, headers) => openaiAt(at).chat.completions.create(askEndlessly("any"), { headers })],
  ["Anthropic's", (at, headers) => anthropicAt(at).messages.create(askEndlessly("any"), { headers })],
];

/** Reads to the end, and tells how many items came before what the stream throws. */
async function readAll(stream: AsyncIterable<unknown>): Promise<{ items: number; error: unknown }> {
  let items = 0;
  try {
    for await (const _ of stream) items += 1;
  } catch (error) {
    return { items, error };
  }
  throw new Error(`the stream ended after ${items} items as if nothing had happened`);
}

describe.each(["reset-mid-stream", "close-mid-stream"])("a backend that breaks the connection (%s)", (fault) => {
  const headers = { "x-sim-fault": fault };
  const kept = { defaultHeaders: headers };

  test("makes a streamed chat throw the gate's message, after the tokens that came", async () => {
    await using gate = await openGate(inFrontOf(model()));
    const stream = await openaiAt(gate, kept).chat.completions.create({ ...ask("any"), stream: true });
    const { items, error } = await readAll(stream);
    expect(items).toBe(4);
    expect(error).toBeInstanceOf(openai.APIError);
    expect(error).toMatchObject({ code: "backend_failed", type: "api_error", message: expect.stringMatching(BROKE) });
    expect(gate.stats().outcomes).toEqual({ backend_broke_stream: 1 });
  });

  test("makes the stream helper of a chat fail with the gate's message", async () => {
    await using gate = await openGate(inFrontOf(model()));
    const stream = openaiAt(gate, kept).chat.completions.stream(ask("any"));
    expect(await failureOf(stream.finalChatCompletion())).toMatchObject({ message: expect.stringMatching(BROKE) });
  });

  test("makes a streamed completion throw the gate's message", async () => {
    await using gate = await openGate(inFrontOf(model()));
    const request = { model: "any", prompt: "Once", max_tokens: 8, stream: true as const };
    const { error } = await readAll(await openaiAt(gate, kept).completions.create(request));
    expect(error).toMatchObject({ code: "backend_failed", message: expect.stringMatching(BROKE) });
  });

  test("makes a streamed response throw the gate's message", async () => {
    await using gate = await openGate(inFrontOf(model()));
    const { error } = await readAll(openaiAt(gate, kept).responses.stream({ model: "any", input: "Once" }));
    expect(error).toMatchObject({ code: "backend_failed", message: expect.stringMatching(BROKE) });
  });

  test("makes a streamed message throw the gate's message, in Anthropic's shape", async () => {
    await using gate = await openGate(inFrontOf(model()));
    const { error } = await readAll(await anthropicAt(gate, kept).messages.create({ ...ask("any"), stream: true }));
    expect(error).toBeInstanceOf(anthropic.APIError);
    expect(error).toMatchObject({
      type: "api_error",
      error: { type: "error", error: { type: "api_error", message: expect.stringMatching(BROKE) } },
    });
  });

  test("makes the stream helper of a message fail with the gate's message", async () => {
    await using gate = await openGate(inFrontOf(model()));
    const stream = anthropicAt(gate, kept).messages.stream(ask("any"));
    expect(await failureOf(stream.finalMessage())).toMatchObject({ message: expect.stringMatching(BROKE) });
  });

  test("gives Ollama's clients a last line with an error, and none that says done", async () => {
    await using gate = await openGate(inFrontOf(model()));
    const { messages } = ask("any");
    const response = await fetch(`${gate.url}/api/chat`, {
      method: "POST",
      headers,
      body: JSON.stringify({ model: "any", messages }),
    });
    const lines = (await response.text()).trimEnd().split("\n");
    const answers = lines.map((line) => JSON.parse(line) as { done?: boolean; error?: string });
    expect(answers.map(({ done }) => done)).toEqual([false, false, false, undefined]);
    expect(answers.at(-1)?.error).toMatch(BROKE);
  });

  test("cuts off an answer that is not streamed, so that no client takes it for whole", async () => {
    await using gate = await openGate(inFrontOf(model()));
    const whole = [
      failureOf(openaiAt(gate, kept).chat.completions.create(ask("any"))),
      failureOf(anthropicAt(gate, kept).messages.create(ask("any"))),
    ];
    expect(await Promise.all(whole)).toMatchObject([{ message: "terminated" }, { message: "terminated" }]);
    expect(gate.stats().outcomes).toEqual({ backend_broke_stream: 2 });
  });
});

describe.each(STREAMS)("a stream of %s client", (_, open) => {
  test("throws when the backend falls silent for too long", async () => {
    const clock = new VirtualClock();
    await using gate = await openGate(inFrontOf(model(), { timeouts: { idle: "1m" } }), clock);
    const read = readAll(await open(gate, { "x-sim-fault": "stall-mid-stream" }));
    await until(() => model().server.engine.state.running === 0);
    clock.advance(60_000);
    const silent = /the backend of default was silent for 60s\./;
    expect((await read).error).toMatchObject({ message: expect.stringMatching(silent) });
  });

  test("throws when the gate stops", async () => {
    await using gate = await openGate(inFrontOf(model()));
    const read = readAll(await open(gate));
    await gate.close();
    const stopped = /the gate stopped before the answer was complete\./;
    expect((await read).error).toMatchObject({ message: expect.stringMatching(stopped) });
  });
});

test.each(STREAMS)("a stream of %s client that breaks within an event throws", async (_, open) => {
  const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
  const events = 'event: message_start\ndata: {"choices":[]}\n\nevent: message_stop\ndata: {"cho';
  const backend = createServer((socket) => {
    socket.once("data", () => socket.end(`${head}${events.length.toString(16)}\r\n${events}\r\n`));
  });
  await once(backend.listen(0, "127.0.0.1"), "listening");
  const { port } = backend.address() as AddressInfo;
  try {
    await using gate = await openGate(inFrontOf({ url: `http://127.0.0.1:${port}` }));
    const { items, error } = await readAll(await open(gate));
    expect([items, error]).toEqual([1, expect.any(Error)]);
    expect(gate.stats().outcomes).toEqual({ backend_broke_stream: 1 });
  } finally {
    backend.close();
  }
});

test("llama.cpp that is killed makes the streams of both clients throw the gate's message", async ({ skip }) => {
  const llama = await startLlama({ slots: 2, contextSize: 16_384 }).catch((error: unknown) => {
    if (error instanceof LlamaUnavailable) return skip(error.message);
    throw error;
  });
  try {
    await using gate = await openGate(inFrontOf(llama));
    const streams = await Promise.all(STREAMS.map(([, open]) => open(gate)));
    const reads = streams.map(readAll);
    await llama.stop();
    for (const { error } of await Promise.all(reads)) {
      expect(error).toMatchObject({ message: expect.stringMatching(BROKE) });
    }
    expect(gate.stats()).toMatchObject({ in_flight: 0, outcomes: { backend_broke_stream: 2 } });
  } finally {
    await llama.stop();
  }
}, 300_000);
