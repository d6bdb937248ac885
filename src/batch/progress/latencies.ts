import type { Ms } from "../../core/units.ts";

const PER_OCTAVE = 16;
const BUCKETS = 32 * PER_OCTAVE;
const LEAST_MS: Ms = 0.25;

/** Percentiles of any number of durations in 2 kB: buckets that grow by 4 %, so that is how exact they are. */
export class Latencies {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;

  add(duration: Ms): void {
    const bucket = Math.floor(Math.log2(Math.max(duration, LEAST_MS) / LEAST_MS) * PER_OCTAVE);
    const at = Math.min(bucket, BUCKETS - 1);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#count += 1;
  }

  /** `quantile` from 0 to 1. `undefined` where there are no values. */
  at(quantile: number): Ms | undefined {
    if (this.#count === 0) return undefined;
    let rest = Math.max(1, Math.ceil(quantile * this.#count));
    const bucket = this.#counts.findIndex((count) => (rest -= count) <= 0);
    return LEAST_MS * 2 ** ((bucket + 0.5) / PER_OCTAVE);
  }
}
