import type { Ms } from "../../core/units.ts";

/** What may go wrong without a success in between. */
export interface PatienceOptions {
  /** What the pauses that the server asks for may add up to. */
  readonly maxPauseMs: Ms;
  /** How many rows may fail. 0: no bound. */
  readonly maxFailures: number;
}

/** How much has gone wrong since the last success: pauses, by their sum, and rows that failed. */
export class Patience {
  readonly #options: PatienceOptions;
  #pausedMs: Ms = 0;
  #pausedUntil: Ms = -Infinity;
  #failures = 0;
  #lastFailure = "";

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** The lane stands still until then. What pauses have in common counts once. Returns whether that can still be borne. */
  paused(until: Ms, now: Ms): boolean {
    const from = Math.max(now, this.#pausedUntil);
    if (until > from) {
      this.#pausedMs += until - from;
      this.#pausedUntil = until;
    }
    return this.#pausedMs <= this.#options.maxPauseMs;
  }

  failed(message: string): void {
    this.#failures += 1;
    this.#lastFailure = message;
  }

  /** What is left of a pause counts on. */
  succeeded(now: Ms): void {
    this.#failures = 0;
    this.#pausedMs = Math.max(0, this.#pausedUntil - now);
  }

  /** Why no further row should be begun. */
  get exhausted(): string | undefined {
    const { maxFailures } = this.#options;
    if (maxFailures === 0 || this.#failures < maxFailures) return undefined;
    const rows = this.#failures === 1 ? "1 row has" : `${this.#failures} rows have`;
    return `${rows} failed without a success in between, the last with ${this.#lastFailure}`;
  }
}
