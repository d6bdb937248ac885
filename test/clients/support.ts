/** The gate between the real client libraries and a model server. */
import Anthropic, { type ClientOptions as AnthropicOptions } from "@anthropic-ai/sdk";
import OpenAI, { type ClientOptions as OpenAiOptions } from "openai";
import { afterAll, beforeAll, describe } from "vitest";

import { parseConfig } from "../../src/config/index.ts";
import type { Clock } from "../../src/contracts/clock.ts";
import { createGateway, type ProxyStats } from "../../src/gateway/index.ts";
import { PRESETS } from "../../src/lab/model/presets.ts";
import { createModelServer, type ModelServer } from "../../src/lab/model/server.ts";
import { useLlama } from "../llama/fixture.ts";

/** A model server behind the gate. */
export interface Backend {
  readonly url: string;
  readonly model: string;
  /** Resolves with its own counts once no request is open there. */
  idle(): Promise<BackendCounts>;
}

interface BackendCounts {
  readonly completed: number;
  /** Left by their client, which is the gate. */
  readonly aborted: number;
  readonly maxConcurrent: number;
}

/** Runs the suite in front of the simulated model, and in front of llama.cpp where that can run. */
export function describeBackends(suite: (backend: () => Backend) => void): void {
  describe("in front of the simulated model", () => {
    suite(useSimulatedModel());
  });
  describe("in front of llama.cpp", () => {
    suite(useLlamaModel());
  });
}

/** The simulated model can also be looked at, and asked for faults by the header `x-sim-fault`. */
export interface SimulatedModel extends Backend {
  readonly server: ModelServer;
}

/** One simulated model for the tests of a file or of a `describe`: some 10 ms per answer, and seconds per endless one. */
export function useSimulatedModel(): () => SimulatedModel {
  const server = createModelServer({ preset: "nim-gpt-oss-20b", speed: 100 });
  beforeAll(async () => void (await server.listen()));
  afterAll(() => server.close());
  return () => ({
    url: `http://127.0.0.1:${server.port}`,
    model: PRESETS["nim-gpt-oss-20b"].modelName,
    server,
    idle: async () => {
      await until(() => server.stats().concurrent === 0);
      const { requests, max_concurrent_seen } = server.stats();
      return { completed: requests.completed, aborted: requests.aborted, maxConcurrent: max_concurrent_seen };
    },
  });
}

function useLlamaModel(): () => Backend {
  const llama = useLlama({ slots: 4, contextSize: 16_384 });
  return () => ({
    url: llama().url,
    model: "tiny-random-llama",
    idle: async () => {
      const { completed, aborted, max_concurrent_seen } = await llama().idle();
      return { completed, aborted, maxConcurrent: max_concurrent_seen };
    },
  });
}

/** Sections of the configuration, spelled as in the file. */
export interface GateSettings {
  readonly deployments: Readonly<Record<string, unknown>>;
  readonly server?: Readonly<Record<string, unknown>>;
}

/** One deployment for all models: four seats and the usual queue, unless `settings` says otherwise. */
export function inFrontOf(backend: { readonly url: string }, settings: Readonly<Record<string, unknown>> = {}) {
  return { deployments: { default: { backends: [backend.url], max_concurrent: 4, queue: {}, ...settings } } };
}

export interface Gate extends AsyncDisposable {
  readonly url: string;
  stats(): ProxyStats;
  /** Cuts everything off. */
  close(): Promise<void>;
}

/** A gate that listens. Disposing closes it, and throws when anything is left of any request. */
export async function openGate(settings: GateSettings, clock?: Clock): Promise<Gate> {
  const read = parseConfig({ file: "test", text: JSON.stringify(settings), env: {} });
  if (read.kind === "invalid") throw new Error(JSON.stringify(read.problems));
  // A clock that leaps would make every probe time out.
  const gateway = createGateway(read.config, clock === undefined ? {} : { clock, probeIntervalMs: 0 });
  const { port } = await gateway.listen(0);
  const close = async (): Promise<void> => {
    await gateway.close();
    const left = leftovers(gateway.stats());
    if (left.some((count) => count !== 0)) throw new Error(`the closed gate still holds ${left.join(", ")}`);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    stats: () => gateway.stats(),
    close: () => gateway.close(),
    [Symbol.asyncDispose]: close,
  };
}

function leftovers({ open, in_flight, waiting, buffered_bytes, deployments }: ProxyStats): readonly number[] {
  const each = Object.values(deployments).flatMap(({ unseated, tokens_in_flight, late_settlements, backends }) => [
    unseated.in_flight,
    tokens_in_flight,
    late_settlements,
    ...backends.map((backend) => backend.in_flight),
  ]);
  return [open, in_flight, waiting, buffered_bytes, ...each];
}

/** OpenAI's client. It retries nothing unless `options` says so. */
export function openaiAt({ url }: { readonly url: string }, options: OpenAiOptions = {}): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0, logLevel: "off", ...options });
}

/** Anthropic's client. It retries nothing unless `options` says so. */
export function anthropicAt({ url }: { readonly url: string }, options: AnthropicOptions = {}): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0, logLevel: "off", ...options });
}

const messages = [{ role: "user" as const, content: "Tell me about the water" }];

/** A chat, or a message, with an answer of exactly eight tokens. */
export const ask = (model: string) => ({ model, messages, max_tokens: 8, ignore_eos: true });

/** A stream that outlasts any test. */
export const askEndlessly = (model: string) => ({ ...ask(model), max_tokens: 1_000_000, stream: true as const });

/** Takes a seat, and resolves at the first chunk, when the request surely runs. Gives what frees the seat. */
export async function holdSeat(gate: { readonly url: string }): Promise<AbortController> {
  const stream = await openaiAt(gate).chat.completions.create(askEndlessly("any"));
  await stream[Symbol.asyncIterator]().next();
  return stream.controller;
}

/** What the promise rejects with. */
export async function failureOf(promise: PromiseLike<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`succeeded with ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

/** Lets the event loop turn until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000_000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("the condition never came to hold");
}
