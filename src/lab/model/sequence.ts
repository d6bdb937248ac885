import type { Ms, Tokens } from "../../core/units.ts";
import type { EngineConfig, SequenceListener, SequenceRequest } from "./engine-types.ts";

/** A generation inside the engine. */
export interface Sequence {
  readonly promptTokens: Tokens;
  readonly maxTokens: Tokens;
  readonly stopAfterTokens: Tokens;
  readonly listener: SequenceListener;
  readonly arrivedAt: Ms;
  /** From when on a step may include it. */
  readonly readyAt: Ms;
  phase: "waiting" | "running" | "ended";
  /** Tokens whose keys and values are in the KV cache. */
  computedTokens: Tokens;
  /** Tokens that the current step computes; their place in the KV cache is taken. */
  scheduledTokens: Tokens;
  generatedTokens: Tokens;
  prefilled: boolean;
  lastTokenAt: Ms;
}

export function createSequence(
  request: SequenceRequest,
  listener: SequenceListener,
  { config, now }: { readonly config: EngineConfig; readonly now: Ms },
): Sequence {
  const { promptTokens, maxTokens, stopAfterTokens = Infinity } = request;
  if (!(promptTokens >= 1)) throw new RangeError(`promptTokens must be at least 1, got ${promptTokens}`);
  if (!(maxTokens >= 0)) throw new RangeError(`maxTokens must not be negative, got ${maxTokens}`);
  if (promptTokens >= config.contextTokens) {
    throw new RangeError(`promptTokens must be below contextTokens (${config.contextTokens}), got ${promptTokens}`);
  }
  return {
    promptTokens,
    maxTokens: Math.min(maxTokens, config.contextTokens - promptTokens),
    stopAfterTokens,
    listener,
    arrivedAt: now,
    readyAt: now + config.intakeMs,
    phase: "waiting",
    computedTokens: 0,
    scheduledTokens: 0,
    generatedTokens: 0,
    prefilled: false,
    lastTokenAt: now,
  };
}

/** Tokens whose text is known: the prompt and the output so far. */
export function knownTokens(sequence: Sequence): Tokens {
  return sequence.promptTokens + sequence.generatedTokens;
}

/** Known tokens that are not computed yet. When none is missing, the next token can be sampled. */
export function missingTokens(sequence: Sequence): Tokens {
  return knownTokens(sequence) - sequence.computedTokens;
}

export function isDecoding(sequence: Sequence): boolean {
  return sequence.generatedTokens > 0 && missingTokens(sequence) === 1;
}
