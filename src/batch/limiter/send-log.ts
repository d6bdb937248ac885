/*
 * THE LAW
 *
 * A request that goes out at s is counted by the server at some instant from s on. The latest at which that can be is
 * s + guard, and no later than its answer: an answer proves that its request has been counted. So each request takes up
 * room from s until one window after min(s + guard, answer + 1 ms). A request may go out when its whole cost fits under the limit
 * with all that takes up room. For a limit of N requests without answers:
 *
 *   s[k + N] − s[k] ≥ window + guard
 *
 * If no request is counted later than that, no window of the server's, wherever it begins, sees more than the limit: not a
 * sliding one, not one that starts at a first hit, not one that follows the clock. For let j be the one of a window that
 * went out last. Whatever else lies in that window was counted after s[j] − window, so it took up room when j went out.
 * Nothing weaker is safe where the phase of the windows is unknown.
 *
 * `OpenSends` has the requests whose latest instant is still to come. This log has the others, by that instant.
 *
 * A log remembers 10,000 instants exactly. A limit above that divides its window into 10,000 slots and counts all of a slot
 * at the latest of them: never too early, and a 10,000th of the window late at most.
 */
import { LOG_ENTRIES } from "../../core/rate/exact-log.ts";
import type { Ms } from "../../core/units.ts";
import { Ring } from "./ring.ts";

const TIME = 0;
const AMOUNT = 1;

/** When the missing room is there, as far as this log knows; `left` is what it cannot give. */
export interface Room {
  readonly dueAt: Ms;
  readonly left: number;
}

/** What a server has counted by now under one limit. All is O(1) amortised, but for a cost of many units: it looks at as many as must leave. */
export class SendLog {
  readonly #windowMs: Ms;
  readonly #slotMs: Ms;
  readonly #ring = new Ring(2);
  #used = 0;

  constructor(amount: number, windowMs: Ms) {
    this.#windowMs = windowMs;
    this.#slotMs = amount > LOG_ENTRIES ? windowMs / LOG_ENTRIES : 0;
  }

  used(now: Ms): number {
    this.#release(now);
    return this.#used;
  }

  /** When so much of what is used has left. */
  dueFor(missing: number): Room {
    let left = missing;
    let dueAt = -Infinity;
    for (let index = this.#ring.first; left > 0 && index < this.#ring.end; index++) {
      left -= this.#ring.get(AMOUNT, index);
      dueAt = this.#ring.get(TIME, index) + this.#windowMs;
    }
    return { dueAt, left };
  }

  /** It was counted then at the latest. Instants never fall. */
  add(cost: number, at: Ms): void {
    if (cost <= 0) return;
    this.#used += cost;
    const last = this.#ring.end - 1;
    const index = last >= this.#ring.first && this.#joins(last, at) ? last : this.#ring.push();
    this.#ring.set(TIME, index, at);
    this.#ring.set(AMOUNT, index, this.#ring.get(AMOUNT, index) + cost);
  }

  /** What was added for `at` cost so much less. Void once that takes up no room. */
  refund(cost: number, at: Ms): void {
    const index = this.#ring.find(TIME, at);
    if (index === this.#ring.end) return;
    const refund = Math.min(cost, this.#ring.get(AMOUNT, index));
    this.#ring.set(AMOUNT, index, this.#ring.get(AMOUNT, index) - refund);
    this.#used -= refund;
  }

  #joins(last: number, at: Ms): boolean {
    const time = this.#ring.get(TIME, last);
    if (time === at || this.#ring.end - this.#ring.first >= 2 * LOG_ENTRIES) return true;
    return this.#slotMs > 0 && Math.floor(time / this.#slotMs) === Math.floor(at / this.#slotMs);
  }

  #release(now: Ms): void {
    while (this.#ring.first < this.#ring.end && this.#ring.get(TIME, this.#ring.first) + this.#windowMs <= now) {
      this.#used -= this.#ring.get(AMOUNT, this.#ring.first);
      this.#ring.shift();
    }
    // Fractions must not leave a trace.
    if (this.#ring.first === this.#ring.end) this.#used = 0;
  }
}
