/** Anthropic's client through the gate: every call does what it does without one. */
import { describe, expect, test } from "vitest";

import { useLlama } from "../llama/fixture.ts";
import {
  anthropicAt,
  ask,
  askEndlessly,
  describeBackends,
  failureOf,
  holdSeat,
  inFrontOf,
  openGate,
  until,
} from "./support.ts";

describeBackends((backend) => {
  test("a message is answered, with usage", async () => {
    await using gate = await openGate(inFrontOf(backend()));
    const message = await anthropicAt(gate).messages.create(ask(backend().model));
    expect(message).toMatchObject({ role: "assistant", stop_reason: "max_tokens", usage: { output_tokens: 8 } });
    expect(message.content).toMatchObject([{ type: "text" }]);
    expect(gate.stats().outcomes).toEqual({ completed: 1 });
  });

  test("a streamed message adds up to the whole one, event by event", async () => {
    await using gate = await openGate(inFrontOf(backend()));
    const { messages } = anthropicAt(gate);
    const request = { ...ask(backend().model), seed: 7 };
    const whole = await messages.create(request);
    const stream = messages.stream(request);
    const types: string[] = [];
    stream.on("streamEvent", ({ type }) => types.push(type));
    const final = await stream.finalMessage();
    expect([final.content, final.usage.output_tokens]).toEqual([whole.content, 8]);
    expect([types[0], types.at(-1)]).toEqual(["message_start", "message_stop"]);
    expect(types.filter((type) => type === "content_block_delta")).toHaveLength(8);
  });

  test("a stream that is aborted frees the seat and the backend's slot", async () => {
    await using gate = await openGate(inFrontOf(backend(), { max_concurrent: 1 }));
    const before = await backend().idle();
    const { messages } = anthropicAt(gate);
    const stream = await messages.create(askEndlessly(backend().model));
    await stream[Symbol.asyncIterator]().next();
    const next = messages.create(ask(backend().model));
    await until(() => gate.stats().waiting === 1);
    stream.controller.abort();
    expect((await next).usage.output_tokens).toBe(8);
    expect(gate.stats()).toMatchObject({ in_flight: 0, outcomes: { client_closed: 1, completed: 1 } });
    const after = await backend().idle();
    expect([after.aborted - before.aborted, after.completed - before.completed]).toEqual([1, 1]);
  });

  test("the stream helper that is aborted frees the seat", async () => {
    await using gate = await openGate(inFrontOf(backend(), { max_concurrent: 1 }));
    const before = await backend().idle();
    const stream = anthropicAt(gate).messages.stream({ ...askEndlessly(backend().model) });
    stream.once("streamEvent", () => stream.abort());
    expect(await failureOf(stream.done())).toMatchObject({ message: "Request was aborted." });
    await until(() => gate.stats().in_flight === 0);
    expect((await backend().idle()).aborted - before.aborted).toBe(1);
  });
});

describe("counting tokens", () => {
  const llama = useLlama({ slots: 1 });

  test("needs no seat", async () => {
    await using gate = await openGate(inFrontOf(llama(), { max_concurrent: 1 }));
    const { max_tokens: _, ...request } = ask("tiny-random-llama");
    const direct = await anthropicAt(llama()).messages.countTokens(request);
    const holder = await holdSeat(gate);
    expect(await anthropicAt(gate).messages.countTokens(request)).toEqual(direct);
    holder.abort();
  });
});
