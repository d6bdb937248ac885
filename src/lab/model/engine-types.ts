import type { Ms, Tokens } from "../../core/units.ts";
import type { PromptCurve } from "./prompt-curve.ts";

/** What a model server can do and how long it takes. */
export interface EngineConfig {
  /** What every step costs, whatever is in it. */
  readonly stepBaseMs: Ms;
  /** What each decoding sequence adds to a step. */
  readonly perSequenceMs: Ms;
  /** What the prompt tokens in a step add to it. */
  readonly promptCurve: PromptCurve;
  /** A step's duration varies by this fraction up and down. */
  readonly stepJitter: number;
  /** Time between arrival and the first step that may include the request: parsing and tokenizing. */
  readonly intakeMs: Ms;
  /** The first step after a pause takes up to this much longer: an idle GPU clocks down. */
  readonly idleWakeMs: Ms;
  /** Tokens one step may process; a longer prompt is processed in chunks. */
  readonly stepTokens: Tokens;
  /** Sequences that run at once; the others wait. */
  readonly maxSequences: number;
  /** Tokens the KV cache holds; at least `contextTokens`. */
  readonly kvTokens: Tokens;
  /** Prompt and output of one sequence together. */
  readonly contextTokens: Tokens;
  /** With this many requests at once the GPU wedges for good; `Infinity` for never. */
  readonly wedgeAtConcurrent: number;
}

/** One generation to run. */
export interface SequenceRequest {
  /** At least 1. */
  readonly promptTokens: Tokens;
  /** Output ends here with `length`; 0 only processes the prompt. */
  readonly maxTokens: Tokens;
  /** Output ends here with `stop`; without it the sequence runs to `maxTokens`. */
  readonly stopAfterTokens?: Tokens;
}

/** How a sequence ended: by itself, at its limit, or by its submitter. */
export type SequenceEnding = "stop" | "length" | "aborted";

/** Hears of one sequence. `at` is the engine's time of the event: the end of the step, even when the timer ran late. */
export interface SequenceListener {
  /** Just before the first `token`. */
  firstToken?(at: Ms): void;
  token?(at: Ms): void;
  /** Exactly once, last. */
  end(ending: SequenceEnding, at: Ms): void;
}

export interface SequenceHandle {
  /** Ends the sequence and frees all it holds. Without effect once it ended. */
  abort(): void;
}

/** Hears of all sequences, for metrics. */
export interface EngineObserver {
  stepped(startMs: Ms, endMs: Ms, tokens: Tokens): void;
  /** A prompt has been processed; once per sequence. */
  prefilled(promptTokens: Tokens): void;
  firstToken(sinceArrivalMs: Ms): void;
  nextToken(sinceTokenMs: Ms): void;
  preempted(): void;
  ended(ending: SequenceEnding, sinceArrivalMs: Ms): void;
}

/** The engine at one instant. */
export interface EngineState {
  readonly running: number;
  readonly waiting: number;
  readonly kvUsedTokens: Tokens;
  /** A step has begun and not ended. */
  readonly stepping: boolean;
  readonly wedged: boolean;
}
