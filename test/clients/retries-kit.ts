/** Client libraries that retry by themselves, watched at it. */
import { ChatOpenAI } from "@langchain/openai";
import { vi } from "vitest";

import type { Ms } from "../../src/core/units.ts";
import type { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { anthropicAt, ask, type Gate, openaiAt } from "./support.ts";

export interface Library {
  readonly name: string;
  /** Asks once, and retries as often as the library does by default. */
  ask(gate: Gate, fetch: typeof globalThis.fetch): Promise<unknown>;
  /** For how long it sleeps before its first retry, by what a refusal says. */
  told(headers: Headers): Ms;
}

const exactly = (headers: Headers): Ms => Number(headers.get("retry-after-ms") ?? Number.NaN);
const inSeconds = (headers: Headers): Ms => Number(headers.get("retry-after") ?? Number.NaN) * 1_000;

export const OPENAI: Library = {
  name: "OpenAI's client",
  ask: (gate, fetch) => openaiAt(gate, { fetch, maxRetries: 2 }).chat.completions.create(ask("any")),
  told: exactly,
};

export const ANTHROPIC: Library = {
  name: "Anthropic's client",
  ask: (gate, fetch) => anthropicAt(gate, { fetch, maxRetries: 2 }).messages.create(ask("any")),
  told: exactly,
};

/** It sleeps a second or two before its first retry even where it is told less. */
export const LANGCHAIN: Library = {
  name: "LangChain",
  ask: (gate, fetch) => langchainAt(gate, { fetch }).invoke("Say hello."),
  told: inSeconds,
};

/** LangChain's model for OpenAI. It retries as often as it does by default unless `options` says otherwise. */
export function langchainAt({ url }: { readonly url: string }, options: LangchainOptions = {}): ChatOpenAI {
  const { fetch, ...fields } = options;
  const configuration = { baseURL: `${url}/v1`, logLevel: "off" as const, ...(fetch !== undefined && { fetch }) };
  return new ChatOpenAI({ model: "any", apiKey: "none", maxTokens: 8, configuration, ...fields });
}

interface LangchainOptions {
  readonly fetch?: typeof globalThis.fetch;
  readonly apiKey?: string;
  readonly maxRetries?: number;
}

/** What went over the wire. */
export interface Wire {
  /** The status of each try. */
  readonly tries: number[];
  /** For how long the library slept before each retry. */
  readonly sleeps: Ms[];
  readonly fetch: typeof globalThis.fetch;
}

/** How the time goes while a library is watched. */
export interface Watch {
  /** The gate's. */
  readonly clock: VirtualClock;
  /** By how much every sleep is too short. */
  readonly short?: Ms;
  /** Runs before the library hears of a refusal. */
  readonly refused?: () => Promise<void>;
}

/**
 * Watches a library at work. It sleeps on the gate's clock: where it would sleep, that clock moves on instead, by exactly
 * as much. End it with `vi.restoreAllMocks`.
 */
export function watch(library: Library, { clock, short = 0, refused }: Watch): Wire {
  let told = Number.NaN;
  const wire: Wire = {
    tries: [],
    sleeps: [],
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      wire.tries.push(response.status);
      if (response.status >= 400) await refused?.();
      told = library.told(response.headers);
      return response;
    },
  };
  const setTimer = globalThis.setTimeout;
  vi.spyOn(globalThis, "setTimeout").mockImplementation((run: () => void, delay: Ms = 0) => {
    if (delay !== told) return setTimer(run, delay);
    told = Number.NaN;
    wire.sleeps.push(delay);
    clock.advance(delay - short);
    return setTimer(run, 0);
  });
  return wire;
}
