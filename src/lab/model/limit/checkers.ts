import type { Ms } from "../../../core/units.ts";
import type { RateChecker, ServerLimit } from "./types.ts";

/** Instants this close are the same: sums of fractions are no finer. */
const TOLERANCE: Ms = 1e-6;

/** A checker that has seen nothing. */
export function createChecker({ amount, windowMs, window }: ServerLimit): RateChecker {
  switch (window.kind) {
    case "first-hit":
      return new FixedWindow(amount, windowMs, (now) => now);
    case "aligned":
      return new FixedWindow(amount, windowMs, (now) => {
        const { phaseMs } = window;
        return Math.floor((now - phaseMs + TOLERANCE) / windowMs) * windowMs + phaseMs;
      });
    case "sliding":
      return new SlidingWindow(amount, windowMs);
    case "gcra":
      return new Bucket(window.burst, windowMs / amount);
  }
}

/** Counts all that arrive in a window, refused or not. Source: `limits`, storage/memory.py. */
class FixedWindow implements RateChecker {
  readonly #amount: number;
  readonly #windowMs: Ms;
  readonly #startOf: (now: Ms) => Ms;
  #endsAt: Ms = -Infinity;
  #count = 0;

  constructor(amount: number, windowMs: Ms, startOf: (now: Ms) => Ms) {
    this.#amount = amount;
    this.#windowMs = windowMs;
    this.#startOf = startOf;
  }

  admit(now: Ms): boolean {
    if (now >= this.#endsAt) {
      this.#endsAt = this.#startOf(now) + this.#windowMs;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= this.#amount;
  }

  retryAfterMs(now: Ms): Ms {
    return Math.max(0, this.#endsAt - now);
  }
}

/** Remembers what it served. Source: `limits`, the moving window, which refuses at exactly one window's distance too. */
class SlidingWindow implements RateChecker {
  readonly #amount: number;
  readonly #windowMs: Ms;
  /** The last `amount` served, oldest first. */
  readonly #served: Ms[] = [];

  constructor(amount: number, windowMs: Ms) {
    this.#amount = amount;
    this.#windowMs = windowMs;
  }

  admit(now: Ms): boolean {
    const [oldest] = this.#served;
    if (oldest !== undefined && this.#served.length >= this.#amount) {
      if (oldest >= now - this.#windowMs) return false;
      this.#served.shift();
    }
    this.#served.push(now);
    return true;
  }

  retryAfterMs(now: Ms): Ms {
    const [oldest] = this.#served;
    return oldest === undefined || this.#served.length < this.#amount ? 0 : Math.max(0, oldest + this.#windowMs - now);
  }
}

/** The generic cell rate algorithm, virtual scheduling. */
class Bucket implements RateChecker {
  readonly #bucketMs: Ms;
  readonly #msPerRequest: Ms;
  #paidAt: Ms = -Infinity;

  constructor(burst: number, msPerRequest: Ms) {
    this.#bucketMs = burst * msPerRequest;
    this.#msPerRequest = msPerRequest;
  }

  admit(now: Ms): boolean {
    const paidAt = Math.max(this.#paidAt, now) + this.#msPerRequest;
    if (paidAt - now > this.#bucketMs + TOLERANCE) return false;
    this.#paidAt = paidAt;
    return true;
  }

  retryAfterMs(now: Ms): Ms {
    return Math.max(0, this.#paidAt + this.#msPerRequest - this.#bucketMs - now);
  }
}
