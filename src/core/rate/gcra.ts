/*
 * THE LAW
 *
 * A bucket holds `burst` = max(1, limit / 6) and fills at limit / window. What is missing from it is used.
 *
 *   check   there is room for a request as soon as there is room for one unit, or for all of it if that is less
 *   charge  the whole cost is taken, so a large request leaves less than nothing, and the next one waits for that
 *
 * So no request is too large and none is starved by small ones, and a wrong estimate delays the next request but never
 * makes a limit unusable. In any window no more is charged than limit + burst, and the excess of one cost over a unit.
 * A refund leaves at most a full bucket.
 *
 * Source: the generic cell rate algorithm, ITU-T I.371, annex A (virtual scheduling); design of admission, section 1.6.
 */
import type { Ms } from "../units.ts";
import type { Rate } from "./types.ts";

/** The part of the limit that an idle consumer may use at once. */
const BURST_FRACTION = 1 / 6;

/** Room is a matter of a tenth of a microsecond: years of uptime in milliseconds leave doubles no finer. */
const TOLERANCE_MS: Ms = 1e-4;

/** What a limit lets through at once, in the amount that it counts. */
export function burstOf(limit: number): number {
  return limit > 0 ? Math.max(1, limit * BURST_FRACTION) : 0;
}

/** A rate limit whose state is one number: when its bucket is full again. All else follows from the limit. */
export class Gcra implements Rate {
  readonly #windowMs: Ms;
  #limit: number;
  /** The limit that the state is measured by: the last one above 0. */
  #scale: number;
  #fullAt: Ms = -Infinity;

  constructor(limit: number, windowMs: Ms) {
    this.#windowMs = windowMs;
    this.#limit = limit;
    this.#scale = Math.max(1, limit);
  }

  get limit(): number {
    return this.#limit;
  }

  get burst(): number {
    return burstOf(this.#limit);
  }

  check(cost: number, now: Ms): Ms {
    if (this.#limit === 0) return Infinity;
    const msPerUnit = this.#windowMs / this.#scale;
    const burstMs = Math.max(msPerUnit, this.#windowMs * BURST_FRACTION);
    const wait = this.#fullAt - now + Math.min(cost, 1) * msPerUnit - burstMs;
    return wait > TOLERANCE_MS ? wait : 0;
  }

  charge(cost: number, now: Ms): void {
    const ms = (cost * this.#windowMs) / this.#scale;
    if (this.#limit > 0) this.#fullAt = Math.max(this.#fullAt, now) + ms;
  }

  adjust(delta: number, now: Ms): void {
    if (delta >= 0) this.charge(delta, now);
    else if (this.#fullAt > now) this.#fullAt = Math.max(now, this.#fullAt + (delta * this.#windowMs) / this.#scale);
  }

  used(now: Ms): number {
    return this.#fullAt > now ? ((this.#fullAt - now) * this.#scale) / this.#windowMs : 0;
  }

  left(now: Ms): number {
    return Math.max(0, this.burst - this.used(now));
  }

  resetsIn(now: Ms): Ms {
    return Math.max(0, this.#fullAt - now);
  }

  isFull(now: Ms): boolean {
    return this.#fullAt <= now;
  }

  resize(limit: number, now: Ms): void {
    if (limit > 0 && limit !== this.#scale) {
      const used = this.used(now);
      this.#scale = limit;
      this.#fullAt = now + (used * this.#windowMs) / limit;
    }
    this.#limit = limit;
  }
}
