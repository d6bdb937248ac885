import type { Ms } from "../core/units.ts";

/** The middle and the tails of recent durations. All zero while there are none. */
export interface Percentiles {
  readonly p50: Ms;
  readonly p95: Ms;
  readonly p99: Ms;
  /** How many durations these come from. */
  readonly samples: number;
}

/** The last `capacity` durations. Adding costs one store; sorting is left to whoever reads. */
export class RecentSamples {
  readonly #ring: Float64Array;
  #count = 0;

  constructor(capacity = 1024) {
    this.#ring = new Float64Array(capacity);
  }

  add(duration: Ms): void {
    this.#ring[this.#count % this.#ring.length] = duration;
    this.#count += 1;
  }

  percentiles(): Percentiles {
    const samples = Math.min(this.#count, this.#ring.length);
    const sorted = this.#ring.slice(0, samples).sort();
    const at = (fraction: number): Ms => sorted[Math.min(samples - 1, Math.floor(fraction * samples))] ?? 0;
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99), samples };
  }
}
