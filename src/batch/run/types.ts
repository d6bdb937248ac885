import type { Ms, Tokens } from "../../core/units.ts";
import type { BatchRow } from "../input/row.ts";
import type { Cost, LimiterStats, Pause } from "../types.ts";
import type { FailureCause, RowResult } from "./result.ts";

/** Why a run ended with rows left that it did not ask. They are asked by the next run. */
export type StopCause =
  /** The key is no good. */
  | "unauthorized"
  /** The account has nothing left to spend. */
  | "quota"
  /** The server keeps refusing, or asks for a pause that is longer than allowed. */
  | "paused_too_long"
  /** Row after row fails. */
  | "too_many_failures"
  /** What is left would cost more than allowed. */
  | "max_cost"
  /** No connection, attempt after attempt. */
  | "unreachable";

/** How a run ended. */
export type RunEnding =
  /** Every row has an answer or a failure. */
  | { readonly kind: "completed" }
  /** Told to stop: what was in flight has ended. */
  | { readonly kind: "drained" }
  /** Told to stop at once: what was in flight was given up. */
  | { readonly kind: "aborted" }
  | { readonly kind: "stopped"; readonly why: StopCause; readonly message: string };

/** A row that goes out again. */
export interface Retry {
  readonly row: BatchRow;
  /** Attempts so far that count. */
  readonly attempts: number;
  /** `overloaded`: 503 or 529, with a pause. */
  readonly cause: FailureCause | "rate_limited" | "overloaded";
  readonly message: string;
  /** Until it may go out again; the limiter may hold it for longer. */
  readonly delayMs: Ms;
}

/** Hears of what a run does. Called in the middle of its work: must be short, and must not throw. */
export interface BatchListener {
  /** `attempt` from 1. */
  sent?(row: BatchRow, attempt: number): void;
  retrying?(retry: Retry): void;
  paused?(pause: Pause): void;
  finished?(result: RowResult): void;
}

/** Dollars, or what you like, per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

/** How far a run is. */
export interface BatchProgress {
  readonly elapsedMs: Ms;
  /** From the first send to the last. */
  readonly sendingMs: Ms;
  /** Rows of this run; `undefined` where the input has no end yet. */
  readonly total: number | undefined;
  readonly answered: number;
  readonly failed: number;
  readonly failures: Readonly<Partial<Record<FailureCause, number>>>;
  /** Rows that wait for another attempt. */
  readonly retrying: number;
  readonly inFlight: number;
  /** Attempts so far. */
  readonly sent: number;
  /** Attempts of rows that had been sent before, by why that was not enough. */
  readonly retries: Readonly<Partial<Record<Retry["cause"], number>>>;
  readonly tokens: { readonly input: Tokens; readonly output: Tokens };
  /** Answers that do not say what they used; their tokens are estimated. */
  readonly withoutUsage: number;
  /** Answers that ended at their bound or in a filter. */
  readonly cut: number;
  /** `undefined`: no price is known. */
  readonly cost: number | undefined;
  /** Rows finished per second, lately. */
  readonly finishedPerSecond: number;
  readonly latency: { readonly p50: Ms | undefined; readonly p95: Ms | undefined };
  readonly limiter: LimiterStats;
}

/** What a row is expected to use. */
export interface RowEstimate {
  readonly input: Tokens;
  readonly output: Tokens;
  /** What is reserved of the limits: input, and as much output as the row allows. */
  readonly cost: Cost;
}
