import type { Figures, Percentiles } from "../types.ts";

export type DiffUnit = "count" | "ratio" | "ms" | "rate";

/** A figure that two reports can be compared by. */
export interface DiffMetric {
  readonly name: string;
  readonly unit: DiffUnit;
  /** Which way is better; null where neither is. */
  readonly better: "higher" | "lower" | null;
  /** null where there is none, or too few to say. */
  readonly of: (figures: Figures) => number | null;
}

/** Answers below which a median, and below which a 99th percentile, is chance. */
const LEAST_FOR_MEDIAN = 20;
const LEAST_FOR_P99 = 100;

const count = (name: string, better: DiffMetric["better"], of: DiffMetric["of"]): DiffMetric => ({
  name,
  unit: "count",
  better,
  of,
});
const ratio = (name: string, better: DiffMetric["better"], of: DiffMetric["of"]): DiffMetric => ({
  name,
  unit: "ratio",
  better,
  of,
});
const times = (name: string, of: (figures: Figures) => Percentiles): readonly DiffMetric[] => [
  { name: `${name} p50`, unit: "ms", better: "lower", of: (figures) => enough(of(figures), "p50", LEAST_FOR_MEDIAN) },
  { name: `${name} p99`, unit: "ms", better: "lower", of: (figures) => enough(of(figures), "p99", LEAST_FOR_P99) },
];
const rate = (name: string, of: DiffMetric["of"]): DiffMetric => ({ name, unit: "rate", better: "higher", of });

export const DIFF_METRICS: readonly DiffMetric[] = [
  count("sent", null, (figures) => figures.sent),
  count("served", null, (figures) => figures.served),
  count("refused", null, (figures) => figures.refused),
  ratio("success", "higher", (figures) => figures.success),
  ratio("floor", "higher", (figures) => figures.floor),
  ratio("utilization", "higher", (figures) => figures.utilization),
  ratio("fullest", "lower", (figures) => figures.fullest),
  ratio("unevenness", "lower", (figures) => figures.unevenness),
  ratio("goodput", "higher", (figures) => figures.goodput),
  count("without retry-after", "lower", (figures) => figures.without_retry_after),
  count("failed", "lower", (figures) => figures.failed),
  count("incomplete", "lower", (figures) => figures.incomplete),
  count("gave up", "lower", (figures) => figures.gave_up),
  ...times("TTFT", (figures) => figures.ttft_ms),
  ...times("ITL", (figures) => figures.itl_ms),
  ...times("e2e", (figures) => figures.e2e_ms),
  ...times("queue", (figures) => figures.queue_ms),
  rate("served per min", (figures) => figures.served_per_minute),
  rate("tokens out/s", (figures) => figures.tokens_out_per_s),
  rate("prompt tokens/s", (figures) => figures.prompt_tokens_per_s),
  rate("generation tokens/s", (figures) => figures.generation_tokens_per_s),
];

function enough(times: Percentiles, key: "p50" | "p99", least: number): number | null {
  return times.count >= least ? times[key] : null;
}
