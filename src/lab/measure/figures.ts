import type { Figures } from "../report/types.ts";
import type { Slo } from "../scenario/types.ts";
import { type Cell, mergedCells } from "./cell.ts";

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

/** Adds cells up to what the report says of them. */
export function figuresOf(
  cells: readonly Cell[],
  { seconds, slo, windows }: { seconds: number; slo: Slo; windows: WindowFigures },
): Figures {
  const all = mergedCells(cells);
  const { sent, intended, endings } = all;
  const perSecond = (count: number): number => (seconds > 0 ? round(count / seconds) : 0);
  return {
    intended,
    sent,
    ...endings,
    refused_by: mostFirst(all.refusals),
    failed_by: mostFirst(all.failures),
    refused_429: all.refused429,
    refused_503: all.refused503,
    without_retry_after: all.withoutRetryAfter,
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
    ttft_ms: all.ttft.percentiles(),
    itl_ms: all.itl.percentiles(),
    tpot_ms: all.tpot.percentiles(),
    e2e_ms: all.e2e.percentiles(),
    queue_ms: all.queue.percentiles(),
    tokens_in: all.tokensIn,
    tokens_out: all.tokensOut,
    tokens_in_per_s: perSecond(all.tokensIn),
    tokens_out_per_s: perSecond(all.tokensOut),
    goodput: sent === 0 || !hasObjective(slo) ? null : all.good / sent,
    prompt_tokens_per_s: speedOf(all.promptSpeed),
    generation_tokens_per_s: speedOf(all.generationSpeed),
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
