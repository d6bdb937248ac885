import type { Figures, Percentiles } from "../../src/lab/report/types.ts";

/** Percentiles around a median, with a tail. */
export function percentiles(count: number, p50: number, tail = 1.6): Percentiles {
  if (count === 0) return { count: 0, mean: null, p50: null, p90: null, p95: null, p99: null, max: null };
  return {
    count,
    mean: p50 * 1.05,
    p50,
    p90: p50 * (1 + (tail - 1) * 0.5),
    p95: p50 * (1 + (tail - 1) * 0.7),
    p99: p50 * tail,
    max: p50 * (1 + (tail - 1) * 1.8),
  };
}

export interface Counts {
  readonly sent: number;
  readonly served: number;
  readonly refused: number;
  readonly minutes: number;
  readonly ttftMs: number;
  readonly e2eMs: number;
}

/** Figures of so many requests, with times around the given ones. */
export function figures(counts: Counts, more: Partial<Figures> = {}): Figures {
  const { sent, served, refused, minutes, ttftMs, e2eMs } = counts;
  const seconds = minutes * 60;
  return {
    intended: sent,
    sent,
    served,
    refused,
    refused_by: refused > 0 ? { capacity_reserved: refused } : {},
    refused_429: refused,
    refused_503: 0,
    without_retry_after: 0,
    incomplete: 0,
    failed: sent - served - refused,
    failed_by: sent - served - refused > 0 ? { "HTTP 500": sent - served - refused } : {},
    aborted: 0,
    gave_up: 0,
    success: sent === 0 ? null : served / sent,
    satisfied: sent === 0 ? null : served / sent,
    served_per_minute: served / minutes,
    worst_window: null,
    fullest_window: null,
    floor: null,
    utilization: null,
    fullest: null,
    unevenness: null,
    ttft_ms: percentiles(served, ttftMs),
    itl_ms: percentiles(served * 60, 18, 1.2),
    tpot_ms: percentiles(served, 18.2, 1.15),
    e2e_ms: percentiles(served, e2eMs),
    queue_ms: percentiles(served, 0.2, 20),
    tokens_in: served * 116,
    tokens_out: served * 84,
    tokens_in_per_s: (served * 116) / seconds,
    tokens_out_per_s: (served * 84) / seconds,
    goodput: null,
    prompt_tokens_per_s: null,
    generation_tokens_per_s: null,
    ...more,
  };
}
