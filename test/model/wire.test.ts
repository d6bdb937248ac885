/** The wire formats byte by byte, where no client library stands between. */
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { countTokens, splitTokens, tokenId } from "../../src/lab/model/tokens.ts";
import { exchange, sseData, withServer } from "./support.ts";

const CHAT = { model: "any", messages: [{ role: "user", content: "Say hello." }] };

const INFERENCE = [
  ["/v1/chat/completions", CHAT],
  ["/v1/completions", { model: "any", prompt: "Say hello." }],
  ["/v1/responses", { model: "any", input: "Say hello." }],
  ["/v1/messages", { ...CHAT, max_tokens: 50 }],
  ["/api/chat", CHAT],
  ["/api/generate", { model: "any", prompt: "Say hello." }],
  ["/completion", { prompt: "Say hello." }],
  ["/v1/embeddings", { model: "any", input: "Say hello." }],
] as const;

describe.each(INFERENCE)("%s", (path, body) => {
  test("answers with the same bytes whatever came before, and others for another seed", async () => {
    const bytes: string[] = [];
    for (const [seed, before] of [
      [5, 0],
      [5, 3],
      [6, 0],
    ] as const) {
      await withServer({ seed }, async (_server, url) => {
        for (let count = 0; count < before; count++) {
          await exchange(url + path, {
            body: { ...body, prompt: "x", input: "x", messages: [{ content: `${count}` }] },
          });
        }
        const [streamed, whole] = await Promise.all([
          exchange(url + path, { body: { ...body, stream: true } }),
          exchange(url + path, { body: { ...body, stream: false } }),
        ]);
        expect([streamed.status, whole.status]).toEqual([200, 200]);
        bytes.push(streamed.text + whole.text);
      });
    }
    expect(bytes[1]).toBe(bytes[0]);
    expect(bytes[2] === bytes[0]).toBe(path === "/v1/embeddings");
  });

  test("refuses a body that is not JSON, or not a request", async () => {
    await withServer({}, async (server, url) => {
      for (const bad of ["{", "[]", "null", { model: 1 }, { messages: [], prompt: false, input: {}, max_tokens: 1 }]) {
        const reply = await exchange(url + path, { body: bad });
        expect(reply.status).toBe(400);
        expect(JSON.parse(reply.text)).toHaveProperty("error");
      }
      expect(server.stats().requests).toEqual({ completed: 0, aborted: 0, failed: 5, faulted: 0 });
    });
  });

  test("refuses a prompt that the context cannot hold", async () => {
    await withServer({ preset: "strix-halo-235b" }, async (_server, url) => {
      const long = "word ".repeat(40_000);
      const messages = [{ role: "user", content: long }];
      const reply = await exchange(url + path, { body: { ...body, prompt: long, input: long, messages } });
      expect(reply.status).toBe(400);
      expect(reply.text).toMatch(/the prompt has \d+ tokens; the model's context holds 32768/);
    });
  });
});

describe("a stream", () => {
  test("of chat ends with [DONE], of completion and Responses without", async () => {
    await withServer({}, async (_server, url) => {
      for (const [path, body] of INFERENCE.slice(0, 3)) {
        const { text, headers } = await exchange(url + path, { body: { ...body, stream: true } });
        expect(headers["content-type"]).toBe("text/event-stream; charset=utf-8");
        expect(text.endsWith("data: [DONE]\n\n")).toBe(path !== "/v1/responses");
      }
    });
  });

  test("with usage differs from one without by the one chunk", async () => {
    await withServer({}, async (_server, url) => {
      const send = async (options: object): Promise<string> =>
        (await exchange(`${url}/v1/chat/completions`, { body: { ...CHAT, stream: true, ...options } })).text;
      const plain = await send({});
      const counted = await send({ stream_options: { include_usage: true } });
      const extra = sseData(counted).at(-2);
      expect(extra).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
      expect(counted.replace(`data: ${JSON.stringify(extra)}\n\n`, "")).toBe(plain);
    });
  });

  test("of llama-server has one token per event and timings at the end", async () => {
    await withServer({ preset: "strix-halo-235b", speed: 1_000 }, async (_server, url) => {
      const { text } = await exchange(`${url}/completion`, { body: { prompt: "one two", n_predict: 3, stream: true } });
      const events = sseData(text);
      expect(events).toHaveLength(4);
      expect(events[2]).toMatchObject({ stop: false, tokens_predicted: 3, tokens_evaluated: 2 });
      expect(events[3]).toMatchObject({
        stop: true,
        stop_type: "limit",
        tokens_predicted: 3,
        timings: { prompt_n: 2, predicted_n: 3, predicted_ms: 315.78, predicted_per_second: 3_000 / 315.78 },
      });
    });
  });

  test("of Ollama is lines of JSON by default, the last with counts and durations", async () => {
    await withServer({ preset: "strix-halo-235b", speed: 1_000 }, async (_server, url) => {
      const body = { model: "any", prompt: "one two", system: "three", options: { num_predict: 2 } };
      const reply = await exchange(`${url}/api/generate`, { body });
      expect(reply.headers["content-type"]).toBe("application/x-ndjson");
      const lines = reply.text
        .trimEnd()
        .split("\n")
        .map((line): unknown => JSON.parse(line));
      expect(lines).toHaveLength(3);
      expect(lines[0]).toMatchObject({ done: false, response: expect.any(String) });
      expect(lines[2]).toMatchObject({
        done: true,
        done_reason: "length",
        prompt_eval_count: 3,
        eval_count: 2,
        eval_duration: 210_520_000,
      });
    });
  });
});

describe("the output", () => {
  const answerSchema = z.object({
    usage: z.object({ completion_tokens: z.number() }),
    choices: z.array(z.object({ finish_reason: z.string() })),
  });
  const lengthOf = async (url: string, changes: object): Promise<{ tokens: number; reason: string }> => {
    const { text } = await exchange(`${url}/v1/chat/completions`, { body: { ...CHAT, ...changes } });
    const answer = answerSchema.parse(JSON.parse(text));
    return { tokens: answer.usage.completion_tokens, reason: answer.choices[0]?.finish_reason ?? "" };
  };

  test("stops by itself, or at its limit, or with ignore_eos only there", async () => {
    const output = { medianTokens: 20, spread: 0, minTokens: 1, maxTokens: 100 };
    await withServer({ output }, async (_server, url) => {
      expect(await lengthOf(url, {})).toEqual({ tokens: 20, reason: "stop" });
      expect(await lengthOf(url, { max_tokens: 20 })).toEqual({ tokens: 20, reason: "stop" });
      expect(await lengthOf(url, { max_tokens: 19 })).toEqual({ tokens: 19, reason: "length" });
      expect(await lengthOf(url, { max_completion_tokens: 7, max_tokens: 19 })).toEqual({
        tokens: 7,
        reason: "length",
      });
      expect(await lengthOf(url, { max_tokens: 2_000, ignore_eos: true })).toEqual({ tokens: 2_000, reason: "length" });
    });
  });
});

describe("/tokenize", () => {
  test("counts as prompts are counted, in vLLM's form and in llama-server's", async () => {
    await withServer({}, async (_server, url) => {
      const send = async (body: object): Promise<unknown> =>
        JSON.parse((await exchange(`${url}/tokenize`, { body })).text);
      const text = "The water flows.";
      const tokens = splitTokens(text).map(tokenId);
      expect(await send({ model: "any", prompt: text })).toEqual({ count: 4, max_model_len: 1_000_000, tokens });
      expect(await send({ content: text })).toEqual({ tokens });
      expect(await send({ content: "a b", with_pieces: true })).toEqual({
        tokens: [
          { id: tokenId("a"), piece: "a" },
          { id: tokenId(" b"), piece: " b" },
        ],
      });
      const { text: answer } = await exchange(`${url}/v1/chat/completions`, { body: CHAT });
      const { count } = z.object({ count: z.number() }).parse(await send({ messages: CHAT.messages }));
      expect(JSON.parse(answer)).toMatchObject({ usage: { prompt_tokens: count } });
    });
  });

  test("is undone by /detokenize", async () => {
    await withServer({}, async (_server, url) => {
      const text = "Grüße, 世界 🌊";
      const tokens = splitTokens(text).map(tokenId);
      const back = await exchange(`${url}/detokenize`, { body: { tokens } });
      expect(JSON.parse(back.text)).toEqual({ prompt: text, content: text });
      expect((await exchange(`${url}/detokenize`, { body: { tokens: [7] } })).status).toBe(400);
      expect((await exchange(`${url}/tokenize`, { body: { text } })).status).toBe(400);
    });
  });

  test("takes prompts of token ids for what they stand for", async () => {
    await withServer({}, async (_server, url) => {
      const prompt = "Once upon a time";
      const ids = splitTokens(prompt).map(tokenId);
      const [words, numbers] = await Promise.all(
        [prompt, ids].map(async (prompt) => (await exchange(`${url}/v1/completions`, { body: { prompt } })).text),
      );
      expect(numbers).toBe(words);
      expect(ids).toHaveLength(countTokens(prompt));
    });
  });
});
