import OpenAI, { BadRequestError } from "openai";
import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { countTokens } from "../../src/lab/model/tokens.ts";
import { until, withServer } from "./support.ts";

function clientOf(url: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
}

function ask(content: string) {
  return { model: "any", messages: [{ role: "user" as const, content }] };
}

describe("chat completions", () => {
  test("answer as a whole, with usage", async () => {
    await withServer({}, async (_server, url) => {
      const completion = await clientOf(url).chat.completions.create(ask("Say hello."));
      const [choice] = completion.choices;
      expect(choice?.finish_reason).toBe("stop");
      expect(choice?.message.role).toBe("assistant");
      expect(completion.usage?.completion_tokens).toBe(countTokens(choice?.message.content ?? ""));
      expect(completion.usage?.prompt_tokens).toBe(countTokens("user\nSay hello.\nassistant\n"));
      expect(completion.model).toBe("any");
    });
  });

  test("stream the same text: the role first, usage only if asked for", async () => {
    await withServer({}, async (_server, url) => {
      const client = clientOf(url);
      const whole = await client.chat.completions.create(ask("Say hello."));
      const stream = await client.chat.completions.create({ ...ask("Say hello."), stream: true });
      const chunks: OpenAI.ChatCompletionChunk[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: "" });
      const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
      expect(text).toBe(whole.choices[0]?.message.content);
      expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
      expect(chunks.every((chunk) => chunk.usage === undefined && chunk.id === whole.id)).toBe(true);
    });
  });

  test("stream usage in one more chunk without choices where asked for", async () => {
    await withServer({}, async (_server, url) => {
      const stream = clientOf(url).chat.completions.stream({
        ...ask("Say hello."),
        max_completion_tokens: 5,
        stream_options: { include_usage: true },
      });
      const completion = await stream.finalChatCompletion();
      expect(completion.usage).toMatchObject({ completion_tokens: 5 });
      expect(completion.choices[0]?.finish_reason).toBe("length");
    });
  });

  test("are dropped by the server when the client aborts", async () => {
    const clock = new VirtualClock();
    await withServer({ preset: "nim-gpt-oss-20b", clock }, async (server, url) => {
      const controller = new AbortController();
      const { signal } = controller;
      const asked = clientOf(url).chat.completions.create({ ...ask("Say hello."), stream: true }, { signal });
      await until(() => server.engine.state.waiting === 1);
      clock.advance(100);
      const stream = await asked;
      expect(server.engine.state.running).toBe(1);
      for await (const chunk of stream) {
        expect(chunk.object).toBe("chat.completion.chunk");
        controller.abort();
      }
      await until(() => server.stats().concurrent === 0);
      expect(server.engine.state).toMatchObject({ running: 0, waiting: 0, kvUsedTokens: 0 });
      expect(server.stats().requests).toEqual({ completed: 0, aborted: 1, failed: 0, faulted: 0 });
      expect(clock.pending).toBe(0);
    });
  });
});

test("completions answer and stream the same text", async () => {
  await withServer({}, async (_server, url) => {
    const client = clientOf(url);
    const asked = { model: "any", prompt: "Once upon a time", max_tokens: 7 };
    const whole = await client.completions.create(asked);
    expect(whole.choices[0]).toMatchObject({ finish_reason: "length" });
    expect(whole.usage).toEqual({ prompt_tokens: 4, completion_tokens: 7, total_tokens: 11 });
    let text = "";
    for await (const chunk of await client.completions.create({ ...asked, stream: true })) {
      text += chunk.choices[0]?.text ?? "";
    }
    expect(text).toBe(whole.choices[0]?.text);
  });
});

describe("embeddings", () => {
  test("are the same vectors in base64, which the client asks for by itself, and as numbers", async () => {
    await withServer({}, async (_server, url) => {
      const client = clientOf(url);
      const asked = { model: "any", input: ["one", "two"], dimensions: 32 };
      const packed = await client.embeddings.create(asked);
      const plain = await client.embeddings.create({ ...asked, encoding_format: "float" });
      expect(packed.data.map((each) => Array.from(each.embedding))).toEqual(plain.data.map((each) => each.embedding));
      expect(packed.usage).toEqual({ prompt_tokens: 2, total_tokens: 2 });
      for (const { embedding } of plain.data) {
        expect(embedding).toHaveLength(32);
        expect(Math.hypot(...embedding)).toBeCloseTo(1, 5);
      }
    });
  });
});

describe("responses", () => {
  test("answer as a whole and stream the same text in typed events", async () => {
    await withServer({}, async (_server, url) => {
      const client = clientOf(url);
      const whole = await client.responses.create({ model: "any", instructions: "Be kind.", input: "Say hello." });
      expect(whole.status).toBe("completed");
      expect(whole.usage?.output_tokens).toBe(countTokens(whole.output_text));
      const stream = client.responses.stream({ model: "any", instructions: "Be kind.", input: "Say hello." });
      const types: string[] = [];
      const numbers: number[] = [];
      for await (const event of stream) {
        types.push(event.type);
        numbers.push(event.sequence_number);
      }
      const final = await stream.finalResponse();
      expect(final.output_text).toBe(whole.output_text);
      expect(final.usage).toEqual(whole.usage);
      expect(types.slice(0, 5)).toEqual([
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
      ]);
      expect(types.slice(-4)).toEqual([
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
      ]);
      expect(numbers).toEqual(numbers.map((_, index) => index));
    });
  });

  test("end incomplete at their limit", async () => {
    await withServer({}, async (_server, url) => {
      const response = await clientOf(url).responses.create({
        model: "any",
        input: [{ role: "user", content: [{ type: "input_text", text: "Say hello." }] }],
        max_output_tokens: 3,
      });
      expect(response).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
      expect(response.usage?.output_tokens).toBe(3);
    });
  });
});

test("errors reach the client with their field", async () => {
  await withServer({}, async (_server, url) => {
    const asked = clientOf(url).chat.completions.create({ ...ask("Say hello."), n: 2 });
    const error: unknown = await asked.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ status: 400, param: "n", type: "invalid_request_error" });
  });
});

test("models are listed", async () => {
  await withServer({ preset: "strix-halo-235b" }, async (_server, url) => {
    const page = await clientOf(url).models.list();
    expect(page.data.map((model) => model.id)).toEqual(["qwen3-235b-thinking"]);
  });
});
