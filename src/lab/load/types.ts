import type { Cancel } from "../../contracts/clock.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { Api } from "../scenario/types.ts";

/** One request, ready to be sent. */
export interface Question {
  /** Counts all requests of a run: no two prompts are alike. */
  readonly number: number;
  readonly consumer: string;
  readonly key: string;
  readonly api: Api;
  /** `undefined`: the one that the target serves. */
  readonly model: string | undefined;
  readonly promptTokens: Tokens;
  /** `max_tokens`; `undefined`: none is sent. */
  readonly maxTokens: Tokens | undefined;
  readonly stream: boolean;
  /** Whether it opens a connection of its own. */
  readonly fresh: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How an answer begins. */
export interface AnswerHead {
  readonly status: number;
  /** What the gate calls a refusal (`x-headgate-outcome`); "" where there is none. */
  readonly outcome: string;
  /** How long it waited in the gate (`x-headgate-queue-ms`), in scenario time; 0 where nobody says so. */
  readonly queueMs: Ms;
  /** From `retry-after-ms` or `retry-after`; `undefined` where neither is there. */
  readonly retryAfterMs: Ms | undefined;
  /** `x-should-retry`; `undefined` where it is not there. */
  readonly shouldRetry: boolean | undefined;
}

/** How an answer ends. An answer that is cut off before it says that it is done is `incomplete`, whatever its status. */
export type AnswerEnd =
  | { readonly kind: "complete"; readonly inputTokens: Tokens | undefined; readonly outputTokens: Tokens | undefined }
  | { readonly kind: "incomplete" }
  /** No answer: refused connections, resets before the headers. */
  | { readonly kind: "failed"; readonly reason: string };

/** Hears of one answer: `began` at most once, `content` any number of times, `ended` once, unless it was cancelled. Never before `ask` has returned. */
export interface AnswerListener {
  began(head: AnswerHead): void;
  /** So many pieces of content have come together. Role-only and empty chunks are no content. */
  content(pieces: number): void;
  ended(end: AnswerEnd): void;
}

/** Where requests go. */
export interface Door {
  /** Sends a request. The cancel hangs up: nothing is heard of it any more. */
  ask(question: Question, listener: AnswerListener): Cancel;
}

/** How a request ended for its client. */
export type VisitEnding = "served" | "refused" | "incomplete" | "failed" | "aborted" | "gave_up";

/** One request as its client saw it. Times are scenario time since the run began; NaN where it did not happen. */
export interface Visit {
  /** Counts all requests of the run, retries included. */
  readonly id: number;
  /** The same for all attempts of one intention. */
  readonly task: number;
  /** From 1. */
  readonly attempt: number;
  readonly consumer: string;
  /** Whether it asked for a stream: only then there is a first token to wait for. */
  readonly streamed: boolean;
  /** Index into the scenario's phases: that in which the task was meant to begin. */
  readonly phase: number;
  /** When the task was meant to go out. Latency is counted from here. */
  readonly dueAt: Ms;
  /** When this attempt was meant to go out: `dueAt`, or the time of the retry. */
  readonly plannedAt: Ms;
  sentAt: Ms;
  status: number;
  outcome: string;
  ending: VisitEnding;
  headAt: Ms;
  firstTokenAt: Ms;
  lastTokenAt: Ms;
  endAt: Ms;
  queueMs: Ms;
  retryAfterMs: Ms;
  inputTokens: Tokens;
  /** As the answer reports them, or else pieces of content. */
  outputTokens: Tokens;
}

/** What the model says of itself at one moment. Counters grow from 0. NaN where it does not say. */
export interface ModelReading {
  /** Scenario time since the run began. */
  readonly at: Ms;
  readonly running: number;
  readonly waiting: number;
  /** 0 to 1. */
  readonly gpu: number;
  readonly kv: number;
  readonly promptTokens: Tokens;
  readonly generatedTokens: Tokens;
  readonly ttft: { readonly sumMs: Ms; readonly count: number };
  readonly itl: { readonly sumMs: Ms; readonly count: number };
  /** Most requests open at once since the reading before, by its own count; NaN where it does not count. */
  readonly peak: number;
  /** `undefined` where it cannot tell. */
  readonly wedged: boolean | undefined;
}
