import type { Ms } from "../../core/units.ts";

const SLICES = 20;

/** How often something happened lately: counts of the last so many slices of time. */
export class Recent {
  readonly #sliceMs: Ms;
  readonly #counts = new Float64Array(SLICES);
  readonly #began: Ms;
  #slice = 0;

  constructor(windowMs: Ms, now: Ms) {
    this.#sliceMs = windowMs / SLICES;
    this.#began = now;
    this.#slice = this.#sliceOf(now);
  }

  add(now: Ms): void {
    this.#turn(now);
    const at = this.#slice % SLICES;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** Per second. */
  rate(now: Ms): number {
    this.#turn(now);
    const sum = this.#counts.reduce((total, count) => total + count, 0);
    const covered = Math.min(now - this.#began, (SLICES - 1) * this.#sliceMs + (now % this.#sliceMs));
    return covered <= 0 ? 0 : (sum * 1_000) / covered;
  }

  #sliceOf(now: Ms): number {
    return Math.floor(now / this.#sliceMs);
  }

  #turn(now: Ms): void {
    const slice = this.#sliceOf(now);
    const steps = Math.min(SLICES, slice - this.#slice);
    for (let step = 1; step <= steps; step++) this.#counts[(slice - steps + step) % SLICES] = 0;
    this.#slice = Math.max(slice, this.#slice);
  }
}
