import { LOG_ENTRIES } from "../../core/rate/exact-log.ts";
import type { Ms } from "../../core/units.ts";
import { Ring } from "./ring.ts";

const TIME = 0;
const AMOUNT = 1;

/** The most that went out in any window of one length, by the times of the permits. O(1) amortised per send. */
export class Fullest {
  readonly #windowMs: Ms;
  readonly #slotMs: Ms;
  readonly #ring = new Ring(2);
  /** What lies in the window that begins at the oldest send, up to `#edge`. */
  #inside = 0;
  #edge = 0;
  #most = 0;

  constructor(amount: number, windowMs: Ms) {
    this.#windowMs = windowMs;
    this.#slotMs = amount > LOG_ENTRIES ? windowMs / LOG_ENTRIES : 0;
  }

  add(amount: number, at: Ms): void {
    if (amount <= 0) return;
    this.#judge(at);
    const last = this.#ring.end - 1;
    const joins = last >= this.#edge && this.#joins(this.#ring.get(TIME, last), at);
    const index = joins ? last : this.#ring.push();
    if (!joins) this.#ring.set(TIME, index, at);
    this.#ring.set(AMOUNT, index, this.#ring.get(AMOUNT, index) + amount);
  }

  /** What went out at `at` was so much more, or less. Too late for a window that is over. */
  adjust(delta: number, at: Ms): void {
    const index = this.#ring.find(TIME, at);
    if (index === this.#ring.end) return;
    const amount = Math.max(0, this.#ring.get(AMOUNT, index) + delta);
    if (index < this.#edge) this.#inside += amount - this.#ring.get(AMOUNT, index);
    this.#ring.set(AMOUNT, index, amount);
  }

  /** Takes time in proportion to one window's sends. */
  most(): number {
    const { first, end } = this.#ring;
    let [most, inside, edge] = [this.#most, this.#inside, this.#edge];
    for (let index = first; index < end; index++) {
      const over = this.#ring.get(TIME, index) + this.#windowMs;
      for (; edge < end && this.#ring.get(TIME, edge) < over; edge++) inside += this.#ring.get(AMOUNT, edge);
      most = Math.max(most, inside);
      inside -= this.#ring.get(AMOUNT, index);
    }
    return most;
  }

  #joins(time: Ms, at: Ms): boolean {
    if (time === at || this.#ring.end - this.#ring.first >= 2 * LOG_ENTRIES) return true;
    return this.#slotMs > 0 && Math.floor(time / this.#slotMs) === Math.floor(at / this.#slotMs);
  }

  /** Judges the windows that are over, and forgets where they begin. */
  #judge(now: Ms): void {
    const { end } = this.#ring;
    while (this.#ring.first < end) {
      const over = this.#ring.get(TIME, this.#ring.first) + this.#windowMs;
      if (over > now) return;
      for (; this.#edge < end && this.#ring.get(TIME, this.#edge) < over; this.#edge++) {
        this.#inside += this.#ring.get(AMOUNT, this.#edge);
      }
      this.#most = Math.max(this.#most, this.#inside);
      this.#inside -= this.#ring.get(AMOUNT, this.#ring.first);
      this.#ring.shift();
    }
  }
}
