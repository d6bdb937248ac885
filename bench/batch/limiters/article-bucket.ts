import type { Clock } from "../../../src/contracts/clock.ts";
import type { Ms } from "../../../src/core/units.ts";

/** The limiter of the article: a token bucket with a monotonic clock and a lock, empty at first. Written from its description. */
export class ArticleBucket {
  readonly #perMs: number;
  readonly #capacity: number;
  readonly #clock: Clock;
  #tokens = 0;
  #filledAt: Ms;
  #lock: Promise<void> = Promise.resolve();

  constructor({ perSecond, capacity, clock }: { perSecond: number; capacity: number; clock: Clock }) {
    this.#perMs = perSecond / 1_000;
    this.#capacity = capacity;
    this.#clock = clock;
    this.#filledAt = clock.now();
  }

  /** Resolves when a token was taken. First come, first served: the lock is held while one waits. */
  take(): Promise<void> {
    const mine = this.#lock.then(() => this.#takeOne());
    this.#lock = mine;
    return mine;
  }

  async #takeOne(): Promise<void> {
    for (this.#fill(); this.#tokens < 1; this.#fill()) {
      const missing = (1 - this.#tokens) / this.#perMs;
      await new Promise<void>((resolve) => void this.#clock.after(missing, resolve));
    }
    this.#tokens -= 1;
  }

  #fill(): void {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#capacity, this.#tokens + (now - this.#filledAt) * this.#perMs);
    // Sums of fractions must not leave a wait of nothing.
    if (this.#tokens > 1 - 1e-9 && this.#tokens < 1) this.#tokens = 1;
    this.#filledAt = now;
  }
}
