/** How the backend shares its slots: in parallel up to their number, then in line, and free again when a client leaves. */
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { type LlamaBackend, startLlama, useLlama } from "./fixture.ts";

/** A request that keeps a slot busy until the context is full. */
const endless = {
  model: "tiny-random-llama",
  messages: [{ role: "user" as const, content: "Tell me about the water" }],
  stream: true as const,
  ignore_eos: true,
};
const brief = { ...endless, stream: false as const, max_tokens: 3 };

const chat = ({ url }: LlamaBackend) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 }).chat.completions;

/** Starts a stream and resolves at its first chunk, when the request surely runs. Gives what aborts it. */
async function startStream(backend: LlamaBackend, seed = 0): Promise<AbortController> {
  const stream = await chat(backend).create({ ...endless, seed });
  await stream[Symbol.asyncIterator]().next();
  return stream.controller;
}

async function busySlots({ url }: LlamaBackend): Promise<number> {
  const response = await fetch(`${url}/slots`);
  const slots = (await response.json()) as { is_processing: boolean }[];
  return slots.filter(({ is_processing }) => is_processing).length;
}

describe("four slots", () => {
  const llama = useLlama({ slots: 4 });

  it("four streams run at once and are computed together", async () => {
    const streams = await Promise.all([1, 2, 3, 4].map((seed) => startStream(llama(), seed)));
    expect(await busySlots(llama())).toBe(4);
    expect(await llama().stats()).toMatchObject({ concurrent: 4, waiting: 0, max_sequences_per_decode: 4 });
    for (const stream of streams) stream.abort();
    expect(await llama().idle()).toMatchObject({ concurrent: 0, aborted: 4 });
  });

  it("requests beyond the slots wait in line and are answered", async () => {
    const streams = await Promise.all([1, 2, 3, 4].map((seed) => startStream(llama(), seed)));
    const answers = Promise.all([1, 2].map((seed) => chat(llama()).create({ ...brief, seed })));
    await llama().when({ concurrent: 4, waiting: 2 });
    for (const stream of streams) stream.abort();
    expect((await answers).map(({ usage }) => usage?.completion_tokens)).toEqual([3, 3]);
    expect(await llama().idle()).toMatchObject({ max_concurrent_seen: 4, max_waiting_seen: 2 });
  });
});

describe("one slot", () => {
  const llama = useLlama({ slots: 1 });

  it("an aborted stream frees its slot for the next request", async () => {
    const stream = await startStream(llama());
    const next = chat(llama()).create(brief);
    await llama().when({ concurrent: 1, waiting: 1 });
    stream.abort();
    expect((await next).usage?.completion_tokens).toBe(3);
    expect(await llama().idle()).toMatchObject({ started: 2, completed: 1, aborted: 1 });
  });

  it("a client that leaves the line is not answered", async () => {
    const { started, aborted } = await llama().stats();
    const stream = await startStream(llama());
    const leaver = new AbortController();
    const left = chat(llama()).create(brief, { signal: leaver.signal });
    await llama().when({ waiting: 1 });
    leaver.abort();
    await expect(left).rejects.toThrow("aborted");
    await llama().when({ waiting: 0 });
    stream.abort();
    expect(await llama().idle()).toMatchObject({ started: started + 2, aborted: aborted + 2 });
  });

  it("a backend is gone once it has stopped", async () => {
    const other = await startLlama({ slots: 1 });
    await other.stop();
    await expect(other.stats()).rejects.toThrow("fetch failed");
  });

  it("a backend that dies at the start says why", async () => {
    await expect(startLlama({ slots: 0 })).rejects.toThrow("--slots and --context-size must be 1 or more");
  });
});

describe("a small context", () => {
  const llama = useLlama({ slots: 1, contextSize: 256 });

  it("an answer without a limit ends where the context is full", async () => {
    const answer = await chat(llama()).create({ ...endless, stream: false });
    expect(answer.choices[0]?.finish_reason).toBe("length");
    expect(answer.usage?.total_tokens).toBe(256);
  });
});
