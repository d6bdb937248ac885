/*
 * THE LAW
 *
 * Every charge is remembered with its time, and takes up room for one window after it. A request is admitted when its
 * whole cost fits under the limit with all that is remembered. So in no window, wherever it begins, is more charged than
 * the limit. (What a stream turns out to use beyond its estimate counts too, but has been used by then.)
 *
 * One log remembers 10,000 charges. A limit that could need more of them divides its window into 10,000 slots and counts
 * all charges of a slot as made at the latest of them: still never more than the limit, but room comes back up to a
 * 10,000th of the window late. A log that is full all the same, of streams that use far more than their estimate, counts
 * what comes with its latest charge, in the same way.
 *
 * A refund goes to the charge that it belongs to, and is void once that has left the window: it makes no room that the
 * charge does not take up.
 */
import type { Ms } from "../units.ts";
import type { Rate } from "./types.ts";

/** How many charges one log remembers. */
export const LOG_ENTRIES = 10_000;

const FIRST_CAPACITY = 8;

/** A rate limit that holds in every window exactly. 16 bytes for each charge of the last window. */
export class ExactLog implements Rate {
  readonly #windowMs: Ms;
  #limit: number;
  /** A ring: entry i stands at (first + i) mod capacity. The times never fall. */
  #times = new Float64Array(FIRST_CAPACITY);
  #amounts = new Float64Array(FIRST_CAPACITY);
  #first = 0;
  #size = 0;
  #used = 0;

  constructor(limit: number, windowMs: Ms) {
    this.#windowMs = windowMs;
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  get burst(): number {
    return this.#limit;
  }

  /** `Infinity` for a cost above the limit. A refusal looks at as many entries as have to leave to make room. */
  check(cost: number, now: Ms): Ms {
    if (this.#limit === 0 || cost > this.#limit) return Infinity;
    this.#forget(now);
    let excess = this.#used + cost - this.#limit;
    let index = 0;
    let wait = 0;
    for (; excess > 0 && index < this.#size; index++) {
      const at = this.#at(index);
      excess -= this.#amounts[at] ?? 0;
      wait = waitUntil((this.#times[at] ?? 0) + this.#windowMs, now);
    }
    return wait;
  }

  charge(cost: number, now: Ms): void {
    this.#forget(now);
    if (cost <= 0) return;
    this.#used += cost;
    const last = this.#at(this.#size - 1);
    if (this.#size > 0 && (this.#size >= LOG_ENTRIES || this.#inSlot(last, now))) {
      this.#amounts[last] = (this.#amounts[last] ?? 0) + cost;
      this.#times[last] = now;
      return;
    }
    if (this.#size === this.#times.length) this.#grow();
    const next = this.#at(this.#size);
    this.#times[next] = now;
    this.#amounts[next] = cost;
    this.#size += 1;
  }

  adjust(delta: number, now: Ms, chargedAt: Ms): void {
    if (delta >= 0) {
      this.charge(delta, now);
      return;
    }
    this.#forget(now);
    const index = this.#find(chargedAt);
    const at = this.#at(index);
    if (index === this.#size || !this.#inSlot(at, chargedAt)) return;
    const refund = Math.min(-delta, this.#amounts[at] ?? 0);
    this.#amounts[at] = (this.#amounts[at] ?? 0) - refund;
    this.#used -= refund;
  }

  used(now: Ms): number {
    this.#forget(now);
    return this.#used;
  }

  left(now: Ms): number {
    return Math.max(0, this.#limit - this.used(now));
  }

  resetsIn(now: Ms): Ms {
    this.#forget(now);
    return this.#size === 0 ? 0 : waitUntil((this.#times[this.#at(this.#size - 1)] ?? 0) + this.#windowMs, now);
  }

  isFull(now: Ms): boolean {
    this.#forget(now);
    return this.#size === 0;
  }

  resize(limit: number): void {
    this.#limit = limit;
  }

  #at(index: number): number {
    return (this.#first + index) & (this.#times.length - 1);
  }

  /** Whether a charge at `time` shares the entry. Up to 10,000 per window only charges of the same instant do. */
  #inSlot(at: number, time: Ms): boolean {
    const entry = this.#times[at] ?? 0;
    if (this.#limit <= LOG_ENTRIES) return entry === time;
    return Math.floor((entry * LOG_ENTRIES) / this.#windowMs) === Math.floor((time * LOG_ENTRIES) / this.#windowMs);
  }

  /** Drops what has left the window. */
  #forget(now: Ms): void {
    while (this.#size > 0 && (this.#times[this.#first] ?? 0) + this.#windowMs <= now) {
      this.#used -= this.#amounts[this.#first] ?? 0;
      this.#first = this.#at(1);
      this.#size -= 1;
    }
    // Refunds of fractions must not leave a trace.
    if (this.#size === 0) this.#used = 0;
  }

  /** The first entry that is not before `time`. */
  #find(time: Ms): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#times[this.#at(middle)] ?? 0) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    const times = new Float64Array(2 * this.#times.length);
    const amounts = new Float64Array(2 * this.#times.length);
    for (let index = 0; index < this.#size; index++) {
      times[index] = this.#times[this.#at(index)] ?? 0;
      amounts[index] = this.#amounts[this.#at(index)] ?? 0;
    }
    this.#times = times;
    this.#amounts = amounts;
    this.#first = 0;
  }
}

/** The time from `now` to `due`, so that `now` and it together are not before `due`, rounded as doubles are. */
export function waitUntil(due: Ms, now: Ms): Ms {
  const wait = due - now;
  return now + wait < due ? wait + due * Number.EPSILON : wait;
}
