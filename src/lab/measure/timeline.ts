import type { ModelReading } from "../load/types.ts";
import type { Timeline } from "../report/types.ts";
import type { Scenario } from "../scenario/types.ts";
import { type Allocation, entitlements } from "./allocation.ts";
import type { Recorder } from "./recorder.ts";
import type { Seconds } from "./windows.ts";

export interface TimelineParts {
  readonly scenario: Scenario;
  readonly recorder: Recorder;
  readonly readings: readonly ModelReading[];
  /** What is in force in a second of the run. */
  readonly allocationAt: (second: number) => Allocation | undefined;
}

/** Everything over time, in the steps of the latency. */
export function timelineOf({ scenario, recorder, readings, allocationAt }: TimelineParts): Timeline {
  const seconds = Math.max(1, ...recorder.series.map(({ sent }) => sent.length), recorder.tokensOut.length);
  recorder.latency.stretchTo(seconds);
  const { stepS } = recorder.latency;
  const starts = Array.from({ length: Math.ceil(seconds / stepS) }, (_, index) => index * stepS);
  const perStep = (row: Seconds): number[] => starts.map((start) => row.sum(start, start + stepS));
  const sent = recorder.series.map((row) => perStep(row.sent));
  const claimed = recorder.series.map((row) => perStep(row.claimed));
  const entitled = starts.map((start, step) => {
    const allocation = allocationAt(start);
    const asked = claimed.map((row) => row[step] ?? 0);
    return allocation && entitlements(allocation, (allocation.capacity * stepS) / 60, asked);
  });
  const hasCapacity = entitled.some((row) => row !== undefined);
  const percentile = (name: "ttft" | "e2e", percent: number): (number | null)[] =>
    starts.map((_, step) => recorder.latency.at(step)?.[name].percentile(percent) ?? null);
  return {
    step_s: stepS,
    at_s: starts,
    consumers: scenario.consumers.map(({ name }, index) => ({
      name,
      sent: sent[index] ?? [],
      served: perStep(recorder.series[index]?.served ?? recorder.tokensIn),
      refused: perStep(recorder.series[index]?.refused ?? recorder.tokensIn),
      entitled: hasCapacity ? entitled.map((row) => Math.round(100 * (row?.[index] ?? 0)) / 100) : null,
    })),
    ttft_p50_ms: percentile("ttft", 50),
    ttft_p99_ms: percentile("ttft", 99),
    e2e_p50_ms: percentile("e2e", 50),
    e2e_p99_ms: percentile("e2e", 99),
    tokens_in: perStep(recorder.tokensIn),
    tokens_out: perStep(recorder.tokensOut),
    model: modelColumns(readings, starts, stepS),
  };
}

function modelColumns(readings: readonly ModelReading[], starts: readonly number[], stepS: number): Timeline["model"] {
  if (readings.length === 0) return null;
  const column = (pick: (reading: ModelReading) => number): (number | null)[] => {
    const sums = starts.map(() => ({ sum: 0, count: 0 }));
    for (const reading of readings) {
      const cell = sums[Math.floor(reading.at / 1_000 / stepS)];
      const value = pick(reading);
      if (cell === undefined || Number.isNaN(value)) continue;
      cell.sum += value;
      cell.count += 1;
    }
    return sums.map(({ sum, count }) => (count === 0 ? null : Math.round((1_000 * sum) / count) / 1_000));
  };
  return {
    running: column(({ running }) => running),
    waiting: column(({ waiting }) => waiting),
    gpu: column(({ gpu }) => gpu),
    kv: column(({ kv }) => kv),
  };
}
