/*
 * THE LAW
 *
 * Where nobody tells the limit, the rate is found: requests a second, spread evenly. It begins at two. In rounds of a
 * second at least, which last until an answer to a request of that round is there, it doubles while rounds are clean
 * (nothing refused) and saturated (four fifths of the rate used); after the first refusal it grows by 5 % instead. Each
 * episode of refusals takes it to 80 % of what went out in the last whole round, or of itself if that is less.
 *
 * Source: additive increase, multiplicative decrease, with the figures of inspect_ai's adaptive connections.
 */
import type { Ms } from "../../core/units.ts";

const FIRST_RATE = 2;
const LEAST_RATE = 1 / 60;
const MOST_RATE = 100_000;
const LEAST_ROUND: Ms = 1_000;
const CUT = 0.8;
const GROWTH = 1.05;
const SATURATED = 0.8;
/** How far behind its pace the rate may catch up at once: timers are coarser than the gaps of high rates. */
const SLACK: Ms = 5;

/** A rate of requests that is found by trying. */
export class AutoRate {
  #perSecond = FIRST_RATE;
  #doubles = true;
  #paidAt: Ms = -Infinity;
  #roundFrom: Ms | undefined;
  #sent = 0;
  /** What went out a second in the last whole round. */
  #used = FIRST_RATE;
  #isClean = true;

  /** Requests a second. */
  get perSecond(): number {
    return this.#perSecond;
  }

  /** When one more may go out: an instant, maybe in the past. */
  dueAt(): Ms {
    return this.#paidAt - SLACK;
  }

  sent(requests: number, now: Ms): void {
    this.#roundFrom ??= now;
    this.#sent += requests;
    this.#paidAt = Math.max(this.#paidAt, now) + (requests * 1_000) / this.#perSecond;
  }

  /** A request that went out at `sentAt` was let through. */
  passed(sentAt: Ms, now: Ms): void {
    const from = this.#roundFrom;
    if (from === undefined || sentAt < from || now - from < LEAST_ROUND) return;
    const isSaturated = this.#sent >= (SATURATED * this.#perSecond * (now - from)) / 1_000;
    if (this.#isClean && isSaturated) {
      this.#perSecond = Math.min(MOST_RATE, this.#perSecond * (this.#doubles ? 2 : GROWTH));
    }
    this.#begin(now);
  }

  /** An episode of refusals has begun. */
  refused(now: Ms): void {
    const used = Math.max(this.#used, this.#usedSince(now));
    this.#perSecond = Math.max(LEAST_RATE, Math.min(this.#perSecond, used) * CUT);
    this.#doubles = false;
    this.#begin(now);
    this.#isClean = false;
  }

  /** What goes out a second in this round, once that can be told. */
  #usedSince(now: Ms): number {
    const lasted = now - (this.#roundFrom ?? now);
    return lasted < LEAST_ROUND ? 0 : (this.#sent * 1_000) / lasted;
  }

  #begin(now: Ms): void {
    this.#used = this.#usedSince(now) || this.#used;
    this.#roundFrom = now;
    this.#sent = 0;
    this.#isClean = true;
  }
}
