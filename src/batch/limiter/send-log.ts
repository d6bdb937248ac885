/*
 * THE LAW
 *
 * Every send is remembered with the time at which it really went out, and takes up room for window + guard after it. A
 * request may go out when its whole cost fits under the limit with all that takes up room:
 *
 *   s[k + N] − s[k] ≥ window + guard      for a limit of N requests
 *
 * If requests take between d and d + guard to where they are counted, no window of that length, wherever it begins, sees
 * more than the limit: not a sliding one, not one that starts at a first hit, not one that follows the clock. Nothing
 * weaker is safe where the phase of the server's windows is unknown, and nothing stronger is needed.
 *
 * A log remembers 10,000 sends exactly. A limit above that divides its window into 10,000 slots and counts all sends of a
 * slot as made at the latest of them: never too early, and a 10,000th of the window late at most.
 *
 * What a request turns out not to have used is given back to its own send, and is void once that takes up no room. What
 * it used beyond its estimate is charged when that is known.
 *
 * Source: section 3.2 of the report on batch runners that this was designed from (proof by indices of sends).
 */
import { LOG_ENTRIES } from "../../core/rate/exact-log.ts";
import type { Ms } from "../../core/units.ts";
import { Ring } from "./ring.ts";

const TIME = 0;
const AMOUNT = 1;

export interface SendLogOptions {
  readonly amount: number;
  readonly windowMs: Ms;
  readonly guardMs: Ms;
  /** The guard never becomes longer. */
  readonly mostGuardMs: Ms;
}

/** What went out under one limit. All costs O(1) amortised, but for a cost of many units: it looks at as many sends as must leave. */
export class SendLog {
  readonly #amount: number;
  readonly #windowMs: Ms;
  readonly #keepMs: Ms;
  readonly #slotMs: Ms;
  readonly #ring = new Ring(2);
  /** How long a send takes up room. */
  #spanMs: Ms;
  /** Sends from here on take up room, `#used` together. */
  #counted = 0;
  #used = 0;
  /** Windows that begin at sends before this one are over, and were judged. `#inside` is what lies in the next one, up to `#edge`. */
  #judged = 0;
  #edge = 0;
  #inside = 0;
  #fullest = 0;

  constructor({ amount, windowMs, guardMs, mostGuardMs }: SendLogOptions) {
    this.#amount = amount;
    this.#windowMs = windowMs;
    this.#spanMs = windowMs + guardMs;
    this.#keepMs = windowMs + mostGuardMs;
    this.#slotMs = amount > LOG_ENTRIES ? windowMs / LOG_ENTRIES : 0;
  }

  /** When there is room for `cost` if nothing else goes out: an instant, in the past if there is room now. `Infinity`: never. */
  dueAt(cost: number, now: Ms): Ms {
    if (cost > this.#amount) return Infinity;
    this.#release(now);
    let excess = this.#used + cost - this.#amount;
    let due = -Infinity;
    for (let index = this.#counted; excess > 0 && index < this.#ring.end; index++) {
      excess -= this.#ring.get(AMOUNT, index);
      due = this.#ring.get(TIME, index) + this.#spanMs;
    }
    return due;
  }

  /** It goes out. Times never fall. */
  charge(cost: number, now: Ms): void {
    if (cost <= 0) return;
    this.#release(now);
    this.#judge(now);
    this.#drop(now);
    this.#used += cost;
    const last = this.#ring.end - 1;
    const joins = last >= this.#counted && last >= this.#edge && this.#joins(last, now);
    const index = joins ? last : this.#ring.push();
    this.#ring.set(TIME, index, now);
    this.#ring.set(AMOUNT, index, this.#ring.get(AMOUNT, index) + cost);
  }

  /** The send at `sentAt` really cost `delta` more, or less. */
  adjust(delta: number, sentAt: Ms, now: Ms): void {
    if (delta >= 0) return this.charge(delta, now);
    const index = this.#ring.find(TIME, sentAt);
    if (index === this.#ring.end) return;
    this.#release(now);
    const amount = this.#ring.get(AMOUNT, index);
    const refund = Math.min(-delta, amount);
    this.#ring.set(AMOUNT, index, amount - refund);
    if (index >= this.#counted) this.#used -= refund;
    if (index >= this.#judged && index < this.#edge) this.#inside -= refund;
  }

  /** What was noted at `since` or later may have gone out as late as `until`: it counts from there. Returns how much that is. */
  restamp(since: Ms, until: Ms): number {
    let amount = 0;
    for (let index = this.#ring.find(TIME, since); index < this.#ring.end; index++) {
      this.#ring.set(TIME, index, until);
      amount += this.#ring.get(AMOUNT, index);
      if (index < this.#counted) this.#used += this.#ring.get(AMOUNT, index);
    }
    this.#counted = Math.min(this.#counted, this.#ring.find(TIME, until));
    this.#edge = this.#judged;
    this.#inside = 0;
    return amount;
  }

  setGuard(guardMs: Ms): void {
    this.#spanMs = Math.min(this.#windowMs + guardMs, this.#keepMs);
    this.#counted = this.#ring.first;
    this.#used = 0;
    for (let index = this.#counted; index < this.#ring.end; index++) this.#used += this.#ring.get(AMOUNT, index);
  }

  /** The most that lay in any window of the limit's length, the guard left out. Takes time in proportion to one window's sends. */
  fullest(): number {
    const { end } = this.#ring;
    let most = this.#fullest;
    let inside = this.#inside;
    let edge = this.#edge;
    for (let index = this.#judged; index < end; index++) {
      const over = this.#ring.get(TIME, index) + this.#windowMs;
      for (; edge < end && this.#ring.get(TIME, edge) < over; edge++) inside += this.#ring.get(AMOUNT, edge);
      most = Math.max(most, inside);
      inside -= this.#ring.get(AMOUNT, index);
    }
    return most;
  }

  #joins(last: number, now: Ms): boolean {
    const time = this.#ring.get(TIME, last);
    if (time === now || this.#ring.end - this.#ring.first >= 2 * LOG_ENTRIES) return true;
    return this.#slotMs > 0 && Math.floor(time / this.#slotMs) === Math.floor(now / this.#slotMs);
  }

  #release(now: Ms): void {
    const { end } = this.#ring;
    while (this.#counted < end && this.#ring.get(TIME, this.#counted) + this.#spanMs <= now) {
      this.#used -= this.#ring.get(AMOUNT, this.#counted);
      this.#counted += 1;
    }
    // Fractions must not leave a trace.
    if (this.#counted === end) this.#used = 0;
  }

  /** Judges the windows that are over. */
  #judge(now: Ms): void {
    const { end } = this.#ring;
    while (this.#judged < end) {
      const over = this.#ring.get(TIME, this.#judged) + this.#windowMs;
      if (over > now) return;
      while (this.#edge < end && this.#ring.get(TIME, this.#edge) < over) {
        this.#inside += this.#ring.get(AMOUNT, this.#edge);
        this.#edge += 1;
      }
      this.#fullest = Math.max(this.#fullest, this.#inside);
      this.#inside -= this.#ring.get(AMOUNT, this.#judged);
      this.#judged += 1;
    }
  }

  #drop(now: Ms): void {
    const done = Math.min(this.#counted, this.#judged);
    while (this.#ring.first < done && this.#ring.get(TIME, this.#ring.first) + this.#keepMs <= now) this.#ring.shift();
  }
}
