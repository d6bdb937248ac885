/*
 * THE LAW
 *
 * A pause holds the whole lane. A longer one in force stays; what the server asks for is a floor, and is never cut short.
 * Refusals of requests that went out before the pause began tell nothing new: they belong to the same episode. Where the
 * server does not say how long, episodes in a row take 1, 2, 4 … 60 seconds; an answer to a request that went out after
 * the pause ends the row.
 *
 * After a pause requests come back one after the other, not as a herd: for one window at the pace of the limits, or,
 * where nothing limits requests, with gaps that halve from a quarter of a second on.
 */
import type { Ms } from "../../core/units.ts";
import type { Pause } from "../types.ts";

const FIRST_BACKOFF: Ms = 1_000;
const LONGEST_BACKOFF: Ms = 60_000;
const FIRST_GAP: Ms = 250;
const LEAST_GAP: Ms = 1;
const LONGEST_RECOVERY: Ms = 10_000;

/** At which pace to come back. `undefined`: by halving gaps. */
export interface RecoveryPace {
  readonly gapMs: Ms;
  readonly windowMs: Ms;
}

/** Pauses of one lane, and how it comes back from them. */
export class Standstill {
  #pause: Pause | undefined;
  #begunAt: Ms = -Infinity;
  #episodes = 0;
  #gapMs: Ms = 0;
  #halves = false;
  #recoveredAt: Ms = -Infinity;
  #lastSent: Ms = -Infinity;

  /** The pause in force. */
  current(now: Ms): Pause | undefined {
    return this.#pause !== undefined && this.#pause.until > now ? this.#pause : undefined;
  }

  /** Whether a pause was in force at the last look, and is over now. Asked once per pause, it answers `true` once. */
  endsBy(now: Ms): boolean {
    if (this.#pause === undefined || this.#pause.until > now) return false;
    this.#pause = undefined;
    return true;
  }

  /** Whether a request that went out then could not know of the episode that goes on, or was just had. */
  isKnown(sentAt: Ms): boolean {
    return sentAt <= this.#begunAt;
  }

  /** A new episode begins: how long to wait where the server does not say. */
  nextBackoff(now: Ms): Ms {
    this.#begunAt = now;
    this.#episodes += 1;
    return Math.min(FIRST_BACKOFF * 2 ** (this.#episodes - 1), LONGEST_BACKOFF);
  }

  /** A request was served. */
  succeeded(sentAt: Ms): void {
    if (sentAt > this.#begunAt) this.#episodes = 0;
  }

  /** Returns whether it lasts longer than what was in force. */
  begin(pause: Pause, pace: RecoveryPace | undefined, now: Ms): boolean {
    if (pause.until <= now || pause.until <= (this.#pause?.until ?? -Infinity)) return false;
    this.#pause = pause;
    this.#halves = pace === undefined;
    this.#gapMs = pace?.gapMs ?? FIRST_GAP;
    this.#recoveredAt = pause.until + Math.min(pace?.windowMs ?? Infinity, LONGEST_RECOVERY);
    return true;
  }

  /** When anything may go out: an instant, maybe in the past. */
  dueAt(now: Ms): Ms {
    const resumesAt = this.#pause?.until ?? -Infinity;
    if (resumesAt > now) return resumesAt;
    return now < this.#recoveredAt ? Math.min(this.#lastSent + this.#gapMs, this.#recoveredAt) : -Infinity;
  }

  sent(now: Ms): void {
    this.#lastSent = now;
    if (!this.#halves || now >= this.#recoveredAt) return;
    this.#gapMs /= 2;
    if (this.#gapMs < LEAST_GAP) this.#recoveredAt = now;
  }
}
