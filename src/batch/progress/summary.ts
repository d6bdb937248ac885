import type { Ms } from "../../core/units.ts";
import type { FailureCause } from "../run/result.ts";
import type { BatchProgress, Retry, StopCause } from "../run/types.ts";
import type { BatchFileEnding, BatchPlan } from "../run/batch-file-types.ts";
import type { Limit } from "../types.ts";

/** What a run did, as `OUTPUT.summary.json` has it. Times in milliseconds. */
export interface BatchSummary {
  readonly ended: "completed" | "drained" | "aborted" | "stopped";
  readonly stopped: { readonly why: StopCause; readonly message: string } | null;
  readonly rows: {
    /** Of this run. */
    readonly answered: number;
    readonly failed: number;
    readonly answered_before: number;
    readonly failed_before: number;
    /** Lines of the input that are no rows. */
    readonly bad_lines: number;
    /** Not asked yet; `null` where the input was not read to its end. */
    readonly left: number | null;
  };
  readonly failures: Readonly<Partial<Record<FailureCause, number>>>;
  readonly requests: number;
  /** How many of the requests were of a row that had been sent before, by why that was not enough. */
  readonly retries: Readonly<Partial<Record<Retry["cause"], number>>>;
  readonly wall_ms: Ms;
  /** Rows of this run per second of wall time. */
  readonly rows_per_second: number;
  readonly limits: readonly LimitSummary[];
  readonly guard_ms: Ms;
  /** With `--limit auto`: the rate that it had come to at the end, in requests a second. */
  readonly found_per_second: number | null;
  readonly tokens: { readonly input: number; readonly output: number; readonly answers_without_usage: number };
  /** Answers that ended at their bound or in a filter. */
  readonly cut_answers: number;
  /** Of this run. */
  readonly cost: number | null;
  /** Of the answers that OUTPUT had before. */
  readonly cost_before: number | null;
  readonly latency_ms: { readonly p50: Ms | null; readonly p95: Ms | null };
  readonly files: {
    readonly output: string;
    readonly errors: string | null;
    readonly bad_lines: string | null;
    readonly journal: string | null;
  };
}

/** How a limit was used. */
interface LimitSummary {
  readonly limit: string;
  readonly unit: Limit["unit"];
  /** Of what the limit allowed in the time in which requests went out; 1 is all. */
  readonly used: number;
  /** The most in any window of the limit's length, by the times at which requests really went out. */
  readonly most_in_any_window: number;
  readonly allowed: number;
  readonly window_ms: Ms;
}

/** Brings together what a run has to tell. */
export function summarize(plan: BatchPlan, facts: BatchFileEnding): BatchSummary {
  const { ending, progress, answeredBefore, failedBefore, badLines } = facts;
  const { paths, preflight } = plan;
  const { answered, failed, sent, cost } = progress;
  const found = progress.limiter.foundPerSecond;
  const hasFile = paths.output !== "-";
  return {
    ended: ending.kind,
    stopped: ending.kind === "stopped" ? { why: ending.why, message: ending.message } : null,
    rows: {
      answered,
      failed,
      answered_before: answeredBefore,
      failed_before: failedBefore,
      bad_lines: badLines,
      left: leftOf(facts, preflight?.left),
    },
    failures: progress.failures,
    requests: sent,
    retries: progress.retries,
    wall_ms: Math.round(progress.elapsedMs),
    rows_per_second: round(((answered + failed) * 1_000) / Math.max(1, progress.elapsedMs)),
    limits: progress.limiter.fullest.map(({ limit, amount }) => limitSummary(progress, limit, amount)),
    guard_ms: round(progress.limiter.guardMs),
    found_per_second: found === undefined ? null : round(found),
    tokens: { ...progress.tokens, answers_without_usage: progress.withoutUsage },
    cut_answers: progress.cut,
    cost: cost ?? null,
    cost_before: facts.costBefore ?? null,
    latency_ms: { p50: rounded(progress.latency.p50), p95: rounded(progress.latency.p95) },
    files: {
      output: paths.output,
      errors: failed + (hasFile ? failedBefore : 0) > 0 ? paths.errors : null,
      bad_lines: badLines > 0 ? paths.badLines : null,
      journal: hasFile ? paths.journal : null,
    },
  };
}

function leftOf({ ending, progress }: BatchFileEnding, left: number | undefined): number | null {
  if (left !== undefined) return left - progress.answered - progress.failed;
  return ending.kind === "completed" ? 0 : null;
}

function limitSummary(progress: BatchProgress, limit: Limit, most: number): LimitSummary {
  const { limiter, sendingMs } = progress;
  const used = limit.unit === "requests" ? limiter.sent : limiter.tokens;
  // The window that the last requests have taken up belongs to the time.
  const allowed = (limit.amount * (sendingMs + limit.windowMs)) / limit.windowMs;
  return {
    limit: limit.name,
    unit: limit.unit,
    used: round(used / allowed),
    most_in_any_window: most,
    allowed: limit.amount,
    window_ms: limit.windowMs,
  };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function rounded(value: Ms | undefined): Ms | null {
  return value === undefined ? null : Math.round(value);
}
