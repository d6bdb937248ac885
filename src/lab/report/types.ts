/*
 * `report.json`. Everything that the tables, the page and `diff` show is in here; nothing is computed twice. Times end in
 * `_ms` or `_s` and are scenario time; what is unknown is null.
 */

/** One run of a scenario. */
export interface Report {
  readonly format: "headgate.load/1";
  readonly headgate: string;
  /** ISO 8601. */
  readonly started: string;
  readonly scenario: {
    readonly name: string;
    readonly description: string;
    readonly mode: "virtual" | "http";
    /** Where the load went, in words. */
    readonly target: string;
    readonly seed: number;
    readonly speed: number;
    readonly window_s: number;
    readonly slo: { readonly ttft_ms: number | null; readonly tpot_ms: number | null; readonly e2e_ms: number | null };
  };
  /** Whether the generator kept up. Where it did not, no figure can be trusted. */
  readonly validity: { readonly valid: boolean; readonly reasons: readonly string[] };
  /** Real time, not scenario time. */
  readonly generator: { readonly send_lag_ms: Percentiles; readonly loop_lag_ms: Percentiles };
  /** At least one: with and without the gate, or one per model. */
  readonly sides: readonly Side[];
}

export interface Side {
  /** `with the gate`, `without the gate`, a model's name. */
  readonly name: string;
  readonly duration_s: number;
  readonly capacity_per_minute: number | null;
  /** Requests that may be at the model at once; null without a gate. */
  readonly seats: number | null;
  readonly total: Figures;
  /** null where it could not be seen. */
  readonly model: ModelFigures | null;
  /** Why it was ended before its time; null where it was not. */
  readonly cut_short: string | null;
  readonly phases: readonly PhaseFigures[];
  readonly consumers: readonly ConsumerFigures[];
  readonly timeline: Timeline;
  readonly distributions: {
    readonly ttft: Distribution;
    readonly itl: Distribution;
    readonly e2e: Distribution;
  };
  readonly checks: readonly Check[];
}

/** Counts and times of some requests. */
export interface Figures {
  /** As their clients meant them: retries are not counted. */
  readonly intended: number;
  readonly sent: number;
  readonly served: number;
  readonly refused: number;
  /** By the gate's word for it, or else by status: `capacity_reserved`, `queue_full`, `503`. */
  readonly refused_by: Readonly<Record<string, number>>;
  readonly refused_429: number;
  readonly refused_503: number;
  readonly without_retry_after: number;
  readonly incomplete: number;
  readonly failed: number;
  /** By status or by what broke: `HTTP 404`, `ECONNREFUSED`, `reset`. */
  readonly failed_by: Readonly<Record<string, number>>;
  readonly aborted: number;
  readonly gave_up: number;
  /** Served, of those sent; null where none was. */
  readonly success: number | null;
  /** Answered in the end, of those intended; null where none was. */
  readonly satisfied: number | null;
  readonly served_per_minute: number;
  /** Requests admitted in the worst and the fullest window; null where the stretch is shorter than one. */
  readonly worst_window: number | null;
  readonly fullest_window: number | null;
  /** Worst window, of the floor or of what was sent if that was less; null without a floor. */
  readonly floor: number | null;
  /** Of all together only; null without a capacity. */
  readonly utilization: number | null;
  readonly fullest: number | null;
  readonly unevenness: number | null;
  readonly ttft_ms: Percentiles;
  readonly itl_ms: Percentiles;
  readonly tpot_ms: Percentiles;
  readonly e2e_ms: Percentiles;
  readonly queue_ms: Percentiles;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly tokens_in_per_s: number;
  readonly tokens_out_per_s: number;
  /** Served within the objectives, of those sent; null without objectives. */
  readonly goodput: number | null;
  /** Prompt tokens per second of time to first token, and output tokens per second after it; means over answers. */
  readonly prompt_tokens_per_s: number | null;
  readonly generation_tokens_per_s: number | null;
}

export interface Percentiles {
  readonly count: number;
  /** null where the count is 0. */
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

export interface PhaseFigures extends Figures {
  readonly name: string;
  readonly from_s: number;
  readonly to_s: number;
  readonly model: ModelFigures | null;
}

/** What the model says of itself over a stretch. */
export interface ModelFigures {
  readonly ttft_ms: number | null;
  readonly itl_ms: number | null;
  readonly running: number | null;
  readonly max_concurrent: number | null;
  readonly gpu: number | null;
  readonly kv: number | null;
  /** null where it cannot tell. */
  readonly wedged: boolean | null;
}

export interface ConsumerFigures extends Figures {
  readonly name: string;
  /** Part of the capacity that is its own; null for members of the pool and without a capacity. */
  readonly reservation: number | null;
  /** Requests per minute that it is guaranteed; of the pool, what all its members together are. null without a capacity. */
  readonly floor_per_minute: number | null;
  /** One for each phase, in order. */
  readonly phases: readonly Figures[];
}

/** Columns of equal length. Counts are of requests that were meant to go out in the step, or of tokens that came in it. */
export interface Timeline {
  readonly step_s: number;
  /** Start of each step. */
  readonly at_s: readonly number[];
  readonly consumers: readonly {
    readonly name: string;
    readonly sent: readonly number[];
    readonly served: readonly number[];
    readonly refused: readonly number[];
    /** What weighted max–min would give of what was sent; null without a capacity. */
    readonly entitled: readonly number[] | null;
  }[];
  /** null in steps without an answer. */
  readonly ttft_p50_ms: readonly (number | null)[];
  readonly ttft_p99_ms: readonly (number | null)[];
  readonly e2e_p50_ms: readonly (number | null)[];
  readonly e2e_p99_ms: readonly (number | null)[];
  readonly tokens_in: readonly number[];
  readonly tokens_out: readonly number[];
  /** By the model's own word; null where it was not seen. gpu and kv are 0 to 1. */
  readonly model: {
    readonly running: readonly (number | null)[];
    readonly waiting: readonly (number | null)[];
    readonly gpu: readonly (number | null)[];
    readonly kv: readonly (number | null)[];
  } | null;
}

/** Points of a cumulative distribution: values ascending, each with the fraction of all that is at most it. */
export interface Distribution {
  readonly ms: readonly number[];
  readonly fraction: readonly number[];
}

/** An assertion, and what became of it. */
export interface Check {
  /** null: over the whole run. */
  readonly phase: string | null;
  /** null: of all together. */
  readonly consumer: string | null;
  readonly metric: string;
  /** In words: `at least 99%`, `within 10% of steady (35.2ms)`. */
  readonly aim: string;
  /** In words; null where it could not be seen, which is a failure. */
  readonly seen: string | null;
  readonly ok: boolean;
}
