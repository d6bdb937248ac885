import type { Ms } from "../../../core/units.ts";

/** Counts how many arrive in any window of a length, wherever it begins (its end belongs to the next one). */
export class Arrivals {
  readonly #windowMs: Ms;
  #times: Ms[] = [];
  #first = 0;
  #most = 0;

  constructor(windowMs: Ms) {
    this.#windowMs = windowMs;
  }

  /** The most in any window so far. */
  get most(): number {
    return this.#most;
  }

  add(now: Ms): void {
    this.#times.push(now);
    while ((this.#times[this.#first] ?? now) <= now - this.#windowMs) this.#first += 1;
    this.#most = Math.max(this.#most, this.#times.length - this.#first);
    if (this.#first > 1_024 && this.#first * 2 > this.#times.length) {
      this.#times = this.#times.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Forgets the most; what lies in the window now stays. */
  clear(): void {
    this.#most = 0;
  }
}
