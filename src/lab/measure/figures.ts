import type { Figures } from "../report/types.ts";
import type { Slo } from "../scenario/types.ts";
import type { Cell } from "./cell.ts";

/** What windows of a stretch say; `null` where there is no such thing. */
export interface WindowFigures {
  readonly worst: number | null;
  readonly fullest: number | null;
  readonly floor: number | null;
  readonly utilization: number | null;
  /** Of the fullest window, as part of the capacity. */
  readonly fill: number | null;
  readonly unevenness: number | null;
}

export const NO_WINDOWS: WindowFigures = {
  worst: null,
  fullest: null,
  floor: null,
  utilization: null,
  fill: null,
  unevenness: null,
};

/** What the report says of a cell, or of several that were merged. */
export function figuresOf(
  cell: Cell,
  { seconds, slo, windows }: { seconds: number; slo: Slo; windows: WindowFigures },
): Figures {
  const { sent, intended, endings } = cell;
  const perSecond = (count: number): number => (seconds > 0 ? round(count / seconds) : 0);
  return {
    intended,
    sent,
    ...endings,
    refused_by: mostFirst(cell.refusals),
    failed_by: mostFirst(cell.failures),
    refused_429: cell.refused429,
    refused_503: cell.refused503,
    without_retry_after: cell.withoutRetryAfter,
    success: sent === 0 ? null : endings.served / sent,
    // An intention is over once it is served, so that none is served twice.
    satisfied: intended === 0 ? null : endings.served / intended,
    served_per_minute: perSecond(endings.served * 60),
    worst_window: windows.worst,
    fullest_window: windows.fullest,
    floor: windows.floor,
    utilization: windows.utilization,
    fullest: windows.fill,
    unevenness: windows.unevenness,
    ttft_ms: cell.ttft.percentiles(),
    itl_ms: cell.itl.percentiles(),
    tpot_ms: cell.tpot.percentiles(),
    e2e_ms: cell.e2e.percentiles(),
    queue_ms: cell.queue.percentiles(),
    tokens_in: cell.tokensIn,
    tokens_out: cell.tokensOut,
    tokens_in_per_s: perSecond(cell.tokensIn),
    tokens_out_per_s: perSecond(cell.tokensOut),
    goodput: sent === 0 || !hasObjective(slo) ? null : cell.good / sent,
    prompt_tokens_per_s: speedOf(cell.promptSpeed),
    generation_tokens_per_s: speedOf(cell.generationSpeed),
  };
}

function mostFirst(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}

function hasObjective({ ttftMs, tpotMs, e2eMs }: Slo): boolean {
  return ttftMs !== undefined || tpotMs !== undefined || e2eMs !== undefined;
}

function speedOf({ sum, count }: { readonly sum: number; readonly count: number }): number | null {
  return count === 0 ? null : round((1_000 * sum) / count);
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
