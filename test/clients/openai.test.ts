/** OpenAI's client through the gate: every call does what it does without one. */
import type OpenAI from "openai";
import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import {
  ask,
  askEndlessly,
  describeBackends,
  failureOf,
  holdSeat,
  inFrontOf,
  openaiAt,
  openGate,
  until,
  useSimulatedModel,
} from "./support.ts";

describeBackends((backend) => {
  test("a chat is answered, with usage and an id", async () => {
    await using gate = await openGate(inFrontOf(backend()));
    const answer = await openaiAt(gate).chat.completions.create(ask(backend().model));
    expect(answer.choices).toMatchObject([{ message: { role: "assistant" }, finish_reason: "length" }]);
    expect(answer.usage?.completion_tokens).toBe(8);
    expect(answer._request_id).toMatch(/^hg-/);
    expect(gate.stats().outcomes).toEqual({ completed: 1 });
  });

  test("a streamed chat adds up to the whole answer, without usage", async () => {
    await using gate = await openGate(inFrontOf(backend()));
    const { chat } = openaiAt(gate);
    const request = { ...ask(backend().model), seed: 7 };
    const whole = await chat.completions.create(request);
    const chunks = await collect(await chat.completions.create({ ...request, stream: true }));
    expect(textOf(chunks)).toBe(whole.choices[0]?.message.content);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("length");
    expect(chunks.every(({ usage }) => usage === undefined || usage === null)).toBe(true);
  });

  test("a streamed chat has one more chunk, with usage, for those who ask", async () => {
    await using gate = await openGate(inFrontOf(backend()));
    const request = { ...ask(backend().model), stream: true as const, stream_options: { include_usage: true } };
    const chunks = await collect(await openaiAt(gate).chat.completions.create(request));
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("length");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 8 } });
  });

  test("the stream helper sees a final completion", async () => {
    await using gate = await openGate(inFrontOf(backend()));
    const stream = openaiAt(gate).chat.completions.stream(ask(backend().model));
    const deltas: string[] = [];
    stream.on("content", (delta) => deltas.push(delta));
    expect((await stream.finalChatCompletion()).choices[0]?.message.content).toBe(deltas.join(""));
  });

  test("a completion is answered and streamed alike", async () => {
    await using gate = await openGate(inFrontOf(backend()));
    const { completions } = openaiAt(gate);
    const request = { model: backend().model, prompt: "Once upon a time", max_tokens: 6, seed: 7, ignore_eos: true };
    const whole = await completions.create(request);
    const chunks = await collect(await completions.create({ ...request, stream: true }));
    expect(chunks.map(({ choices }) => choices[0]?.text ?? "").join("")).toBe(whole.choices[0]?.text);
    expect(whole.usage?.completion_tokens).toBe(6);
  });

  test("embeddings are the same numbers, packed and plain", async () => {
    await using gate = await openGate(inFrontOf(backend()));
    const { embeddings } = openaiAt(gate);
    const request = { model: backend().model, input: ["the water", "the people"] };
    const packed = await embeddings.create(request);
    const plain = await embeddings.create({ ...request, encoding_format: "float" });
    const rounded = plain.data.map(({ embedding }) => Array.from(Float32Array.from(embedding)));
    expect(packed.data.map(({ embedding }) => Array.from(embedding))).toEqual(rounded);
    expect(plain.data).toHaveLength(2);
  });

  test("the models are the backend's", async () => {
    await using gate = await openGate(inFrontOf(backend()));
    expect((await openaiAt(gate).models.list()).data.map(({ id }) => id)).toEqual([backend().model]);
  });

  test("a stream that is aborted frees the seat and the backend's slot", async () => {
    await using gate = await openGate(inFrontOf(backend(), { max_concurrent: 1 }));
    const before = await backend().idle();
    const { completions } = openaiAt(gate).chat;
    const stream = await completions.create(askEndlessly(backend().model));
    await stream[Symbol.asyncIterator]().next();
    const next = completions.create(ask(backend().model));
    await until(() => gate.stats().waiting === 1);
    stream.controller.abort();
    expect((await next).usage?.completion_tokens).toBe(8);
    expect(gate.stats()).toMatchObject({ in_flight: 0, outcomes: { client_closed: 1, completed: 1 } });
    const after = await backend().idle();
    expect([after.aborted - before.aborted, after.completed - before.completed]).toEqual([1, 1]);
  });

  test("leaving the loop over a stream frees the seat", async () => {
    await using gate = await openGate(inFrontOf(backend(), { max_concurrent: 1 }));
    const before = await backend().idle();
    for await (const chunk of await openaiAt(gate).chat.completions.create(askEndlessly(backend().model))) {
      expect(chunk.object).toBe("chat.completion.chunk");
      break;
    }
    await until(() => gate.stats().in_flight === 0);
    expect((await backend().idle()).aborted - before.aborted).toBe(1);
  });

  test("a request that is aborted while it waits never reaches the backend", async () => {
    await using gate = await openGate(inFrontOf(backend(), { max_concurrent: 1 }));
    const before = await backend().idle();
    const { completions } = openaiAt(gate).chat;
    const stream = await completions.create(askEndlessly(backend().model));
    await stream[Symbol.asyncIterator]().next();
    const leaver = new AbortController();
    const left = completions.create(ask(backend().model), { signal: leaver.signal });
    await until(() => gate.stats().waiting === 1);
    leaver.abort();
    expect(await failureOf(left)).toMatchObject({ message: "Request was aborted." });
    await until(() => gate.stats().waiting === 0);
    stream.controller.abort();
    const after = await backend().idle();
    expect([after.aborted - before.aborted, after.completed - before.completed]).toEqual([1, 0]);
  });
});

describe("an answer that had to wait", () => {
  const model = useSimulatedModel();

  test("says for how long", async () => {
    const clock = new VirtualClock();
    await using gate = await openGate(inFrontOf(model(), { max_concurrent: 1 }), clock);
    const holder = await holdSeat(gate);
    const asked = openaiAt(gate).chat.completions.create(ask("any")).withResponse();
    await until(() => gate.stats().waiting === 1);
    clock.advance(1_500);
    holder.abort();
    const { response, request_id } = await asked;
    expect(response.headers.get("x-headgate-queue-ms")).toBe("1500");
    expect(request_id).toMatch(/^hg-/);
  });
});

describe("responses", () => {
  const model = useSimulatedModel();

  test("are answered and streamed alike, in typed events", async () => {
    await using gate = await openGate(inFrontOf(model()));
    const { responses } = openaiAt(gate);
    const request = { model: "any", input: "Say hello." };
    const whole = await responses.create(request);
    const types: string[] = [];
    const stream = responses.stream(request);
    for await (const event of stream) types.push(event.type);
    const final = await stream.finalResponse();
    expect([final.output_text, final.usage]).toEqual([whole.output_text, whole.usage]);
    expect([types[0], types.at(-1)]).toEqual(["response.created", "response.completed"]);
  });
});

describe("two deployments", () => {
  const [first, second] = [useSimulatedModel(), useSimulatedModel()];

  test("are listed as one, each under its own names", async () => {
    await using gate = await openGate({
      deployments: {
        small: { models: ["openai/gpt-oss-20b", "small"], backends: [first().url] },
        large: { models: ["large"], backends: [second().url] },
      },
    });
    const { data } = await openaiAt(gate).models.list();
    expect(data.map(({ id }) => id)).toEqual(["openai/gpt-oss-20b", "small", "large"]);
  });

  test("each answer for their own models", async () => {
    await using gate = await openGate({
      deployments: {
        small: { models: ["small"], backends: [first().url] },
        large: { models: ["large"], backends: [second().url] },
      },
    });
    const before = await Promise.all([first().idle(), second().idle()]);
    const { completions } = openaiAt(gate).chat;
    for (const model of ["large", "small", "large"]) expect((await completions.create(ask(model))).model).toBe(model);
    const after = await Promise.all([first().idle(), second().idle()]);
    expect(after.map(({ completed }, index) => completed - (before[index]?.completed ?? 0))).toEqual([1, 2]);
  });
});

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

function textOf(chunks: readonly OpenAI.ChatCompletionChunk[]): string {
  return chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
}
