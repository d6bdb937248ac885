import Anthropic, { BadRequestError } from "@anthropic-ai/sdk";
import { expect, test } from "vitest";

import { countTokens } from "../../src/lab/model/tokens.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { until, withServer } from "./support.ts";

function clientOf(url: string): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0 });
}

function ask(content: string, max_tokens = 1_000) {
  return { model: "any", max_tokens, system: "Be kind.", messages: [{ role: "user" as const, content }] };
}

test("messages answer as a whole, with usage", async () => {
  await withServer({}, async (_server, url) => {
    const message = await clientOf(url).messages.create(ask("Say hello."));
    const [block] = message.content;
    expect(message.stop_reason).toBe("end_turn");
    expect(block?.type).toBe("text");
    expect(message.usage.output_tokens).toBe(block?.type === "text" ? countTokens(block.text) : undefined);
    expect(message.usage.input_tokens).toBe(countTokens("system\nBe kind.\nuser\nSay hello.\nassistant\n"));
  });
});

test("messages stream the same text, and end with max_tokens at their limit", async () => {
  await withServer({}, async (_server, url) => {
    const client = clientOf(url);
    const whole = await client.messages.create(ask("Say hello.", 4));
    const stream = client.messages.stream(ask("Say hello.", 4));
    const types: string[] = [];
    stream.on("streamEvent", (event) => types.push(event.type));
    const final = await stream.finalMessage();
    expect(final.content).toEqual(whole.content);
    expect(final.usage).toMatchObject({ output_tokens: 4, input_tokens: whole.usage.input_tokens });
    expect([final.stop_reason, whole.stop_reason]).toEqual(["max_tokens", "max_tokens"]);
    expect(final.id).toBe(whole.id);
    expect(types).toEqual([
      "message_start",
      "content_block_start",
      ...Array.from({ length: 4 }, () => "content_block_delta"),
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
  });
});

test("a stream is dropped by the server when the client aborts", async () => {
  const clock = new VirtualClock();
  await withServer({ preset: "nim-gpt-oss-20b", clock }, async (server, url) => {
    const stream = clientOf(url).messages.stream(ask("Say hello."));
    const ended = stream.done().then(
      () => "done",
      () => "failed",
    );
    await until(() => server.engine.state.waiting === 1);
    clock.advance(200);
    await until(() => stream.currentMessage !== undefined);
    stream.abort();
    expect(await ended).toBe("failed");
    await until(() => server.stats().concurrent === 0);
    expect(server.stats().requests.aborted).toBe(1);
    expect(clock.pending).toBe(0);
  });
});

test("errors come in Anthropic's shape", async () => {
  await withServer({}, async (_server, url) => {
    const asked = clientOf(url).messages.create(ask("Say hello.", 0));
    const error: unknown = await asked.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ error: { type: "error", error: { type: "invalid_request_error" } } });
  });
});
