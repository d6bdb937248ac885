/** The backend by itself, as the two client libraries see it: what a gate in front of it must not change. */
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { useLlama } from "./fixture.ts";

const llama = useLlama({ slots: 4 });

const model = "tiny-random-llama";
const messages = [{ role: "user" as const, content: "Tell me about the water" }];

const openai = () => new OpenAI({ baseURL: `${llama().url}/v1`, apiKey: "none", maxRetries: 0 });
const anthropic = () => new Anthropic({ baseURL: llama().url, apiKey: "none", maxRetries: 0 });

async function post(path: string, body: unknown): Promise<string> {
  const response = await fetch(llama().url + path, { method: "POST", body: JSON.stringify(body) });
  return response.text();
}

async function postJson<T>(path: string, body: unknown): Promise<T> {
  return JSON.parse(await post(path, body)) as T;
}

/** The number of tokens that the backend's own tokenizer finds. */
async function countTokens(content: string, addSpecial = false): Promise<number> {
  const { tokens } = await postJson<{ tokens: number[] }>("/tokenize", { content, add_special: addSpecial });
  return tokens.length;
}

describe("the OpenAI dialect", () => {
  it("lists the model", async () => {
    const { data } = await openai().models.list();
    expect(data.map(({ id }) => id)).toEqual([model]);
  });

  it("a chat answer is as long as max_tokens allows", async () => {
    const answer = await openai().chat.completions.create({ model, messages, max_tokens: 5 });
    expect(answer.choices[0]?.message.content?.trim().split(" ")).toHaveLength(5);
    expect(answer.choices[0]?.finish_reason).toBe("length");
    expect(answer.usage?.completion_tokens).toBe(5);
  });

  it("an answer without a limit ends by itself", async () => {
    const answer = await openai().chat.completions.create({ model, messages });
    expect(answer.choices[0]?.finish_reason).toBe("stop");
  });

  it("an answer that ignores the end is as long as max_tokens says", async () => {
    const body = { model, messages, max_tokens: 1_000, ignore_eos: true };
    const answer = await openai().chat.completions.create(body);
    expect(answer.usage?.completion_tokens).toBe(1_000);
  });

  it("usage equals what the tokenizer counts", async () => {
    const answer = await openai().chat.completions.create({ model, messages, max_tokens: 40 });
    const { prompt } = await postJson<{ prompt: string }>("/apply-template", { messages });
    expect(answer.usage).toMatchObject({
      prompt_tokens: await countTokens(prompt, true),
      completion_tokens: await countTokens(answer.choices[0]?.message.content ?? ""),
    });
  });

  it("a stream has one chunk for each token and adds up to the whole answer", async () => {
    const request = { model, messages, max_tokens: 20, seed: 7 };
    const whole = await openai().chat.completions.create(request);
    const pieces: string[] = [];
    const stream = await openai().chat.completions.create({ ...request, stream: true });
    for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? "");
    expect(pieces.filter((piece) => piece !== "")).toHaveLength(20);
    expect(pieces.join("")).toBe(whole.choices[0]?.message.content);
  });

  it("usage comes in a chunk of its own, for those who ask", async () => {
    const stream = await openai().chat.completions.create({
      model,
      messages,
      max_tokens: 8,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 8 } });
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === undefined)).toBe(true);
  });

  it("the last chunk before [DONE] carries the timings", async () => {
    const text = await post("/v1/chat/completions", { messages, max_tokens: 3, stream: true });
    const events = text.trimEnd().split("\n\n");
    expect(events.at(-1)).toBe("data: [DONE]");
    expect(JSON.parse(events.at(-2)?.replace("data: ", "") ?? "")).toMatchObject({
      choices: [{ delta: {}, finish_reason: "length" }],
      timings: { predicted_n: 3 },
    });
  });

  it("a stop string ends the text before it", async () => {
    const request = { model, prompt: "the", max_tokens: 10, seed: 1 };
    const whole = await openai().completions.create(request);
    const words = whole.choices[0]?.text.split(" ") ?? [];
    const stop = ` ${words[5]} ${words[6]}`;
    const cut = await openai().completions.create({ ...request, stop });
    expect(cut.choices[0]).toMatchObject({ text: words.slice(0, 5).join(" "), finish_reason: "stop" });
  });

  it("equal texts have equal embeddings", async () => {
    const { data } = await openai().embeddings.create({ model, input: ["the water", "the water", "the people"] });
    const [first, second, third] = data.map(({ embedding }) => embedding);
    expect(first).toHaveLength(64);
    expect(second).toEqual(first);
    expect(third).not.toEqual(first);
  });

  it("a prompt that does not fit is refused", async () => {
    const content = "the ".repeat(5_000);
    const answer = openai().chat.completions.create({ model, messages: [{ role: "user", content }] });
    await expect(answer).rejects.toMatchObject({ status: 400, type: "exceed_context_size_error" });
  });
});

describe("the Anthropic dialect", () => {
  const request = { model, messages, system: "Say it short", max_tokens: 12 };

  it("a message is as long as max_tokens allows, and its prompt is counted", async () => {
    const message = await anthropic().messages.create(request);
    const { input_tokens } = await anthropic().messages.countTokens(request);
    expect(message.stop_reason).toBe("max_tokens");
    expect(message.usage).toMatchObject({ input_tokens, output_tokens: 12 });
  });

  it("a stream adds up to a whole message", async () => {
    const stream = anthropic().messages.stream(request);
    const deltas: string[] = [];
    stream.on("text", (delta) => deltas.push(delta));
    const message = await stream.finalMessage();
    expect(deltas).toHaveLength(12);
    expect(message.content).toMatchObject([{ type: "text", text: deltas.join("") }]);
    expect(message.usage.output_tokens).toBe(12);
  });
});

describe("the native dialect", () => {
  it("a completion says what stopped it", async () => {
    const answer = await postJson("/completion", { prompt: "the", n_predict: 4 });
    expect(answer).toMatchObject({ stop: true, stop_type: "limit", tokens_predicted: 4 });
  });
});

describe("the same request twice", () => {
  const alone = { messages, max_tokens: 60, temperature: 0.8 };
  const bodies = [alone, { ...alone, temperature: 0 }, { ...alone, stream: true }];

  it.each(bodies)("gives the same bytes: %j", async (body) => {
    expect(await post("/v1/chat/completions", body)).toBe(await post("/v1/chat/completions", body));
  });

  it("gives the same bytes when it shares its decode calls with other requests", async () => {
    const first = await post("/v1/chat/completions", alone);
    const [again] = await Promise.all([
      post("/v1/chat/completions", alone),
      ...[1, 2, 3].map((seed) => post("/v1/chat/completions", { ...alone, seed, ignore_eos: true })),
    ]);
    expect(again).toBe(first);
  });
});
