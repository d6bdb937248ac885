import type { Ms } from "../../core/units.ts";
import type { GuardSetting } from "./gauge.ts";

/** What requests may differ by on their way before anything is known: a first handshake, a busy loop. */
const FIRST_GUARD: Ms = 50;

/** What is above the first guard halves in this time. */
const HALF_LIFE: Ms = 60_000;

/** How much longer than its window each limit is held. Doubles with a refusal that nothing explains, and falls slowly. */
export class Guard {
  readonly #isTold: boolean;
  readonly #least: Ms;
  #excess: Ms = 0;
  #at: Ms = 0;
  /** The quickest refusal: the server did nothing but count. */
  #quickest: Ms = Infinity;

  constructor(setting: Ms | "auto") {
    this.#isTold = setting !== "auto";
    this.#least = setting === "auto" ? FIRST_GUARD : setting;
  }

  at(now: Ms): GuardSetting {
    const excess = this.#excess * 2 ** (-(now - this.#at) / HALF_LIFE);
    return { ms: this.#least + excess, isTold: this.#isTold };
  }

  /** A refusal that took so long to come. Two of them differ by no more than their ways did, so that much guard is needed. */
  raise(roundTripMs: Ms | undefined, mostMs: Ms, now: Ms): void {
    if (this.#isTold) return;
    const spread = roundTripMs === undefined ? 0 : Math.max(0, roundTripMs - this.#quickest);
    if (roundTripMs !== undefined) this.#quickest = Math.min(this.#quickest, roundTripMs);
    const wanted = Math.min(Math.max(2 * this.at(now).ms, spread), Math.max(mostMs, this.#least));
    this.#excess = wanted - this.#least;
    this.#at = now;
  }
}
