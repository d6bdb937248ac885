/*
 * THE LAW
 *
 * A limit of N per window may be enforced in parts of its window: "60 per minute" as one a second. So its sends are spread:
 * the generic cell rate algorithm, whose state is the instant at which all that was sent is paid for, at N per window.
 *
 *   burst not told   one after the other: the next may go out when the last is paid for. The guard is spread over the
 *                    window, so that pacing costs no more than the window does. What a timer is late, up to 5 ms, is
 *                    made up for: the gaps of high rates are shorter than that.
 *   burst of b       the server is taken to hold a bucket of b. Its rate is used to the full, and the guard is taken from
 *                    the bucket: sums of costs ≤ b + (s[j] − s[i] − guard) · N / window. A bucket of one request has
 *                    nothing to take it from: each gap becomes window / N + guard.
 *
 * Source: ITU-T I.371 annex A (virtual scheduling); ITU-T's "cell delay variation tolerance" is what the guard spends.
 */
import type { Ms } from "../../core/units.ts";

const LATE_TIMER: Ms = 5;

export interface PaceOptions {
  readonly amount: number;
  readonly windowMs: Ms;
  /** `undefined`: one after the other. */
  readonly burst: number | undefined;
  readonly guardMs: Ms;
}

/** Spreads the sends of one limit. */
export class Pace {
  readonly #amount: number;
  readonly #windowMs: Ms;
  readonly #burst: number | undefined;
  #guardMs: Ms;
  #paidAt: Ms = -Infinity;

  constructor({ amount, windowMs, burst, guardMs }: PaceOptions) {
    this.#amount = amount;
    this.#windowMs = windowMs;
    this.#burst = burst;
    this.#guardMs = guardMs;
  }

  /** When `cost` may go out if nothing else does. */
  dueAt(cost: number): Ms {
    if (this.#burst === undefined) return this.#paidAt;
    const bucket = (this.#burst - Math.min(cost, this.#burst)) * this.#msPerUnit;
    return this.#paidAt - bucket + this.#guardMs;
  }

  charge(cost: number, now: Ms): void {
    if (cost <= 0) return;
    const wasAwaited = this.#burst === undefined && this.#paidAt >= now - LATE_TIMER;
    this.#paidAt = (wasAwaited ? this.#paidAt : Math.max(this.#paidAt, now)) + cost * this.#msPerUnit;
  }

  /** Something really cost `delta` more, or less. */
  adjust(delta: number): void {
    this.#paidAt += delta * this.#msPerUnit;
  }

  /** So much may have gone out as late as `until`. */
  restamp(cost: number, until: Ms): void {
    if (cost > 0) this.#paidAt = Math.max(this.#paidAt, until + cost * this.#msPerUnit);
  }

  setGuard(guardMs: Ms): void {
    this.#guardMs = guardMs;
  }

  get #msPerUnit(): Ms {
    return (this.#windowMs + (this.#burst === undefined ? this.#guardMs : 0)) / this.#amount;
  }
}
