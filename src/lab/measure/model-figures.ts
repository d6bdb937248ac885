import type { Ms } from "../../core/units.ts";
import type { ModelReading } from "../load/types.ts";
import type { ModelFigures } from "../report/types.ts";

/** What the model said of itself from one time to another; `null` where it said nothing then. */
export function modelFiguresOf(readings: readonly ModelReading[], from: Ms, to: Ms): ModelFigures | null {
  const within = readings.filter(({ at }) => at > from && at <= to);
  const before = readings.findLast(({ at }) => at <= from);
  const last = within.at(-1);
  if (last === undefined) return null;
  const mean = (pick: (reading: ModelReading) => number): number | null => {
    const values = within.map(pick).filter((value) => !Number.isNaN(value));
    return values.length === 0 ? null : round(values.reduce((sum, value) => sum + value, 0) / values.length);
  };
  const meanOf = (pick: (reading: ModelReading) => ModelReading["ttft"]): number | null => {
    const end = pick(last);
    // A server that was there before has counted since then.
    const start = pick(before ?? within[0] ?? last);
    const count = end.count - start.count;
    return count > 0 ? round((end.sumMs - start.sumMs) / count) : null;
  };
  return {
    ttft_ms: meanOf(({ ttft }) => ttft),
    itl_ms: meanOf(({ itl }) => itl),
    running: mean(({ running }) => running),
    max_concurrent: peakOf(readings, from, to),
    gpu: mean(({ gpu }) => gpu),
    kv: mean(({ kv }) => kv),
    wedged: last.wedged ?? null,
  };
}

/** A reading tells of the time since the one before; what reaches back before the stretch is not of it. */
function peakOf(readings: readonly ModelReading[], from: Ms, to: Ms): number | null {
  const peaks = readings.flatMap(({ at, peak }, index) => {
    const since = readings[index - 1]?.at ?? 0;
    return since >= from && at <= to && !Number.isNaN(peak) ? [peak] : [];
  });
  return peaks.length === 0 ? null : Math.max(...peaks);
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
