/** What the client libraries see of tokens where the gate counts them: what they asked for, and the right bill. */
import { createHash } from "node:crypto";

import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { useLlama } from "../llama/fixture.ts";
import { langchainAt } from "./retries-kit.ts";
import {
  anthropicAt,
  ask,
  describeBackends,
  type Gate,
  type GateSettings,
  inFrontOf,
  openaiAt,
  openGate,
} from "./support.ts";

const KEY = "key of ann";

/** Limits on tokens that are never reached, of one consumer. */
function counting(backend: string | object): GateSettings {
  const limits = { input_tokens_per_day: "1000M", output_tokens_per_day: "1000M" };
  const digest = createHash("sha256").update(KEY).digest("hex");
  const settings = {
    ...inFrontOf({ url: "" }, { backends: [backend], limits }),
    consumers: { ann: { keys: [`sha256:${digest}`] } },
  };
  return settings;
}

/** Input and output that the consumer was charged, by its own row of the statistics. */
async function bill(gate: Gate): Promise<readonly unknown[]> {
  const response = await fetch(`${gate.url}/proxy/stats`, { headers: { authorization: `Bearer ${KEY}` } });
  const stats = (await response.json()) as { deployments: { default: { limits: { used: number }[] } } };
  return stats.deployments.default.limits.map(({ used }) => used);
}

async function all<T>(stream: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Streams a chat for which nobody asked for usage, through the gate and without it. */
async function streamBoth(gate: Gate, backend: { readonly url: string }): Promise<readonly (readonly object[])[]> {
  const request = { ...ask("any"), seed: 3, stream: true as const };
  const through = await openaiAt(gate, { apiKey: KEY }).chat.completions.create(request);
  return [await all(through), await all(await openaiAt(backend).chat.completions.create(request))];
}

describeBackends((backend) => {
  const open = (): Promise<Gate> => openGate(counting(backend().url), new VirtualClock());

  test("OpenAI's client sees the usage of a stream if it asks, and the bill says the same", async () => {
    await using gate = await open();
    const request = { ...ask("any"), seed: 3, stream: true as const, stream_options: { include_usage: true } };
    const chunks = await all(await openaiAt(gate, { apiKey: KEY }).chat.completions.create(request));
    const usage = chunks.at(-1)?.usage;
    expect(usage?.completion_tokens).toBe(8);
    expect(await bill(gate)).toEqual([usage?.prompt_tokens, 8]);
  });

  test("OpenAI's client sees no usage if it does not ask, and the bill is the same", async () => {
    await using gate = await open();
    const [through = [], direct = []] = await streamBoth(gate, backend());
    // llama.cpp has them in the chunk that the gate takes out.
    const known = (chunk: object): readonly string[] => Object.keys(chunk).filter((name) => name !== "timings");
    expect(through.map(known)).toEqual(direct.map(known));
    expect(through.some((chunk) => "usage" in chunk)).toBe(false);
    const whole = await openaiAt(backend()).chat.completions.create({ ...ask("any"), seed: 3 });
    expect(await bill(gate)).toEqual([whole.usage?.prompt_tokens, 8]);
  });

  test("Anthropic's client sees the usage of a message, and the bill says the same", async () => {
    await using gate = await open();
    const { messages } = anthropicAt(gate, { apiKey: KEY });
    const whole = await messages.create(ask("any"));
    const streamed = await messages.stream(ask("any")).finalMessage();
    const inputs = [whole, streamed].map(({ usage }) => usage.input_tokens + (usage.cache_read_input_tokens ?? 0));
    expect([whole.usage.output_tokens, streamed.usage.output_tokens]).toEqual([8, 8]);
    expect(await bill(gate)).toEqual([inputs.reduce((sum, each) => sum + each, 0), 16]);
  });

  test("LangChain sees the usage that it is billed for", async () => {
    await using gate = await open();
    const message = await langchainAt(gate, { apiKey: KEY }).invoke("Say hello.");
    const [input_tokens, output_tokens] = await bill(gate);
    expect(message).toMatchObject({ usage_metadata: { input_tokens, output_tokens } });
  });
});

describe("in front of llama.cpp that is not asked for usage", () => {
  const llama = useLlama({ slots: 1 });

  test("a stream keeps its timings, and the bill is right", async () => {
    const backend = { url: llama().url, ask_for_usage: false };
    await using gate = await openGate(counting(backend), new VirtualClock());
    const [through = [], direct = []] = await streamBoth(gate, llama());
    expect(through.map((chunk) => Object.keys(chunk))).toEqual(direct.map((chunk) => Object.keys(chunk)));
    expect(through.at(-1)).toHaveProperty("timings");
    const whole = await openaiAt(llama()).chat.completions.create({ ...ask("any"), seed: 3 });
    expect(await bill(gate)).toEqual([whole.usage?.prompt_tokens, 8]);
  });
});
