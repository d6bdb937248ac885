import type { Ms } from "../../core/units.ts";
import { minimumDurationMs } from "../limiter/minimum.ts";
import { LimitExceededError } from "../limiter/errors.ts";
import { parseLimit } from "../limiter/parse-limit.ts";
import type { BatchPlan } from "../run/batch-file-types.ts";
import type { Price } from "../run/types.ts";
import type { Cost, Limit } from "../types.ts";
import type { Moments } from "./moments.ts";
import { costOf, type Tally } from "./tally.ts";

/** What a batch would take, before anything of it is sent. Tokens and cost are estimates. */
export interface DryRun {
  readonly rows: number;
  readonly answered_before: number;
  readonly failed_before: number;
  readonly bad_lines: number;
  readonly left: number;
  readonly tokens: { readonly input: number; readonly output: number };
  readonly cost: number | null;
  /** From the first send to the last, exactly, if every answer comes in time; `null` where a row can never be sent. */
  readonly minimum_ms: Ms | null;
  /** Why there is no minimum. */
  readonly problem: string | null;
}

/** A value with its 95 % confidence interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What all rows would take, told from a sample. */
export interface Projection {
  readonly sampled: number;
  /** Rows that are left, the sample among them. */
  readonly rows: number;
  readonly input_tokens: Interval;
  readonly output_tokens: Interval;
  readonly cost: Interval | null;
  /** At this concurrency, and under these limits. */
  readonly duration_ms: Interval;
}

/** Says what is left to do. Throws where the input is standard input. */
export function dryRun(plan: BatchPlan, limits: readonly (string | Limit)[], price: Price | undefined): DryRun {
  const { preflight } = plan;
  if (preflight === undefined) throw new RangeError("standard input cannot be looked through in advance");
  const { rows, left, tokens, answeredBefore, failedBefore, bad, reserved } = preflight;
  let minimum: Ms | null = null;
  let problem: string | null = null;
  try {
    minimum = minimumDurationMs(toCosts(reserved), readAll(limits));
  } catch (error) {
    if (!(error instanceof LimitExceededError)) throw error;
    problem = error.message;
  }
  return {
    rows,
    answered_before: answeredBefore,
    failed_before: failedBefore,
    bad_lines: bad.count,
    left,
    tokens,
    cost: costOf(price, tokens.input, tokens.output) ?? null,
    minimum_ms: minimum,
    problem,
  };
}

/** What is known of all rows when some of them were asked. */
export function project(
  tally: Tally,
  facts: {
    readonly rows: number;
    readonly price: Price | undefined;
    readonly limits: readonly (string | Limit)[];
    readonly concurrency: number;
  },
): Projection {
  const { rows, price, limits, concurrency } = facts;
  const input = scale(tally.input, rows);
  const output = scale(tally.output, rows);
  const ends = (of: "value" | "low" | "high"): number => costOf(price, input[of], output[of]) ?? 0;
  const tokens = (tally.input.mean || 0) + (tally.output.mean || 0);
  const all = { length: rows, cost: { requests: 1, tokens: Math.ceil(tokens) } };
  const least = minimumDurationMs(repeat(all), readAll(limits));
  const latency = scale(tally.latency, 1);
  // Either the limits decide how long it takes, or how many answers come at once.
  const duration = (of: "value" | "low" | "high"): Ms =>
    Math.round(Math.max(least, (latency[of] * rows) / concurrency) + latency[of]);
  return {
    sampled: tally.answered,
    rows,
    input_tokens: input,
    output_tokens: output,
    cost: price === undefined ? null : { value: ends("value"), low: ends("low"), high: ends("high") },
    duration_ms: { value: duration("value"), low: duration("low"), high: duration("high") },
  };
}

function scale(moments: Moments, rows: number): Interval {
  const { mean, halfWidth } = moments;
  const off = Number.isFinite(halfWidth) ? halfWidth : mean;
  return {
    value: Math.round(mean * rows),
    low: Math.max(0, Math.round((mean - off) * rows)),
    high: Math.round((mean + off) * rows),
  };
}

function readAll(limits: readonly (string | Limit)[]): readonly Limit[] {
  return limits.flatMap((limit) => {
    if (typeof limit !== "string") return [limit];
    const reading = parseLimit(limit);
    return reading.kind === "read" ? [reading.limit] : [];
  });
}

function* toCosts(reserved: readonly number[]): Generator<Cost> {
  for (const tokens of reserved) yield { requests: 1, tokens };
}

function* repeat({ length, cost }: { readonly length: number; readonly cost: Cost }): Generator<Cost> {
  for (let index = 0; index < length; index++) yield cost;
}
