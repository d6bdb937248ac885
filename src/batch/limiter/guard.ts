import type { Ms } from "../../core/units.ts";

/** What requests may differ by on their way before anything is known: a first handshake, a busy loop. */
const FIRST_GUARD: Ms = 50;

/** The part of the shortest window that the guard may take. */
const MOST_FRACTION = 1 / 4;

/** What is above the first guard halves in this time. */
const HALF_LIFE: Ms = 60_000;

/** How many of the last answers have to be quick, of about so many, until a server is taken to be. */
const QUICK_SHARE = 3 / 4;
const QUICK_MEMORY = 32;

/** The longest that an open request of a quick server is waited for. */
const MOST_PATIENCE: Ms = 250;

/**
 * How long after it went out a request may be counted. It doubles with a refusal that nothing explains, and falls slowly.
 * Where a server mostly answers within the guard, answers tell more than any guard: an open request then is waited
 * for longer, which costs nothing as long as they come.
 */
export class Guard {
  readonly #isTold: boolean;
  readonly #least: Ms;
  #most: Ms = MOST_PATIENCE;
  #excess: Ms = 0;
  #at: Ms = 0;
  #quickShare = 0;
  /** The quickest refusal: the server did nothing but count. */
  #quickest: Ms = Infinity;

  constructor(setting: Ms | "auto") {
    this.#isTold = setting !== "auto";
    this.#least = setting === "auto" ? FIRST_GUARD : setting;
  }

  /** Takes in the shortest of all windows. */
  bound(shortestWindowMs: Ms): void {
    this.#most = shortestWindowMs * MOST_FRACTION;
  }

  /** What requests may differ by. */
  at(now: Ms): Ms {
    if (this.#isTold) return this.#least;
    return Math.min(this.#least + this.#excess * 2 ** (-(now - this.#at) / HALF_LIFE), this.#most);
  }

  /** How long a request without an answer may still be uncounted. */
  patience(now: Ms): Ms {
    const guardMs = this.at(now);
    const isQuick = !this.#isTold && this.#quickShare >= QUICK_SHARE;
    return isQuick ? Math.max(guardMs, Math.min(MOST_PATIENCE, this.#most)) : guardMs;
  }

  /** An answer came after so long. */
  answered(roundTripMs: Ms, now: Ms): void {
    const isQuick = roundTripMs <= this.at(now) ? 1 : 0;
    this.#quickShare += (isQuick - this.#quickShare) / QUICK_MEMORY;
  }

  /** A refusal that took so long to come. Two of them differ by no more than their ways did, so that much guard is needed. */
  raise(roundTripMs: Ms, now: Ms): void {
    const spread = Math.max(0, roundTripMs - this.#quickest);
    this.#quickest = Math.min(this.#quickest, roundTripMs);
    this.#excess = Math.min(Math.max(2 * this.at(now), spread), Math.max(this.#most, this.#least)) - this.#least;
    this.#at = now;
  }
}
