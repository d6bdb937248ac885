/** What can be asserted of a phase or a run. The table of the names, with what each means, is `METRICS`. */
export type MetricUnit = "count" | "ratio" | "ms" | "perMinute";

export interface MetricFacts {
  readonly unit: MetricUnit;
  /** Whether it can be asked of a single consumer. */
  readonly perConsumer: boolean;
  /** What has to be seen of the model itself: a page of metrics, or its own count, which only the simulated one has. */
  readonly needs: "nothing" | "metrics" | "own count";
  /** Whether it is judged in windows, so that a shorter stretch says nothing. */
  readonly byWindow: boolean;
  /** Whether twice the time makes twice as many. */
  readonly grows: boolean;
  readonly meaning: string;
}

const count = { unit: "count", perConsumer: true, needs: "nothing", byWindow: false, grows: true } as const;
const ratio = { unit: "ratio", perConsumer: false, needs: "nothing", byWindow: false, grows: false } as const;
const time = { unit: "ms", perConsumer: true, needs: "nothing", byWindow: false, grows: false } as const;

export type MetricName =
  | "intended"
  | "sent"
  | "served"
  | "success"
  | "satisfied"
  | "refused"
  | "refused_429"
  | "refused_503"
  | "without_retry_after"
  | "incomplete"
  | "failed"
  | "gave_up"
  | "floor"
  | "utilization"
  | "fullest"
  | "unevenness"
  | "served_per_minute"
  | "goodput"
  | "ttft_p50"
  | "ttft_p99"
  | "itl_p50"
  | "itl_p99"
  | "tpot_p50"
  | "e2e_p50"
  | "e2e_p99"
  | "queue_p99"
  | "lag_p99"
  | "concurrent"
  | "gpu_errors"
  | "model_ttft"
  | "model_itl";

export const METRICS: Readonly<Record<MetricName, MetricFacts>> = {
  intended: { ...count, meaning: "requests as their clients meant them, retries not counted" },
  sent: { ...count, meaning: "requests sent, retries included" },
  served: { ...count, meaning: "requests answered to their end" },
  success: { ...ratio, perConsumer: true, meaning: "served, of those sent" },
  satisfied: {
    ...ratio,
    perConsumer: true,
    meaning: "answered in the end, however often it was tried, of those intended",
  },
  refused: { ...count, meaning: "requests refused with 429 or 503" },
  refused_429: { ...count, meaning: "requests refused with 429" },
  refused_503: { ...count, meaning: "requests refused with 503" },
  without_retry_after: { ...count, meaning: "refusals with 429 that do not say when to come back" },
  incomplete: { ...count, meaning: "answers that began and were cut off" },
  failed: { ...count, meaning: "requests that ended with another error, or without an answer" },
  gave_up: { ...count, meaning: "requests whose client lost its patience" },
  floor: {
    ...ratio,
    byWindow: true,
    perConsumer: true,
    meaning: "worst window of any share: let in, of its floor or of what was asked of it if that was less",
  },
  utilization: {
    ...ratio,
    byWindow: true,
    meaning: "worst window of all together: let in, of the capacity or of what was asked of it if that was less",
  },
  fullest: { ...ratio, byWindow: true, meaning: "fullest window of all together: let in, of the capacity" },
  unevenness: {
    ...ratio,
    meaning: "how much more the best served reservation got than the worst served, each for its size",
  },
  served_per_minute: {
    unit: "perMinute",
    perConsumer: true,
    needs: "nothing",
    byWindow: false,
    grows: false,
    meaning: "served per minute, on average",
  },
  goodput: { ...ratio, perConsumer: true, meaning: "served within the objectives (slo), of those sent" },
  ttft_p50: { ...time, meaning: "time to the first token, median, from when the request was meant to go out" },
  ttft_p99: { ...time, meaning: "time to the first token, 99th percentile" },
  itl_p50: { ...time, meaning: "time between two pieces of an answer, median" },
  itl_p99: { ...time, meaning: "time between two pieces of an answer, 99th percentile" },
  tpot_p50: { ...time, meaning: "time per output token after the first, median" },
  e2e_p50: { ...time, meaning: "time to the last token, median" },
  e2e_p99: { ...time, meaning: "time to the last token, 99th percentile" },
  queue_p99: { ...time, meaning: "wait in the gate's queue, 99th percentile" },
  lag_p99: {
    unit: "ms",
    perConsumer: false,
    needs: "nothing",
    byWindow: false,
    grows: false,
    meaning: "how late the generator sent, 99th percentile",
  },
  concurrent: {
    unit: "count",
    perConsumer: false,
    needs: "own count",
    byWindow: false,
    grows: false,
    meaning: "most requests at the model at once, by its own count",
  },
  gpu_errors: {
    unit: "count",
    perConsumer: false,
    needs: "own count",
    byWindow: false,
    grows: false,
    meaning: "1 if the model's GPU wedged",
  },
  model_ttft: {
    unit: "ms",
    perConsumer: false,
    needs: "metrics",
    byWindow: false,
    grows: false,
    meaning: "time to the first token by the model's own metrics, mean",
  },
  model_itl: {
    unit: "ms",
    perConsumer: false,
    needs: "metrics",
    byWindow: false,
    grows: false,
    meaning: "time between tokens by the model's own metrics, mean",
  },
};

/** What a value must be. */
export type Condition =
  | { readonly kind: "atLeast" | "atMost" | "above" | "below" | "equal"; readonly value: number }
  /** Within a fraction of the same metric in another phase, up or down: `within 10% of steady`. */
  | { readonly kind: "within"; readonly fraction: number; readonly phase: string };

/** One sentence that must hold. */
export interface Assertion {
  readonly metric: MetricName;
  /** `undefined`: of all together. */
  readonly consumer: string | undefined;
  readonly condition: Condition;
}
