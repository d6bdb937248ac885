import { LOG_ENTRIES } from "../../core/rate/exact-log.ts";
import type { Clock } from "../../contracts/clock.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { Cost } from "../types.ts";
import { Ring } from "./ring.ts";
import type { PastSend } from "./types.ts";

const TIME = 0;
const REQUESTS = 1;
const TOKENS = 2;

/** What went out in the last so many milliseconds, in about 10,000 entries at most: sends close together share one. */
export class SendHistory {
  readonly #spanMs: Ms;
  readonly #ring = new Ring(3);

  constructor(spanMs: Ms) {
    this.#spanMs = spanMs;
  }

  add({ requests, tokens }: Cost, now: Ms): void {
    this.#forget(now);
    const last = this.#ring.end - 1;
    const joins = last >= this.#ring.first && this.#slot(this.#ring.get(TIME, last)) === this.#slot(now);
    const index = joins ? last : this.#ring.push();
    this.#ring.set(TIME, index, now);
    this.#ring.set(REQUESTS, index, this.#ring.get(REQUESTS, index) + requests);
    this.#ring.set(TOKENS, index, this.#ring.get(TOKENS, index) + tokens);
  }

  adjust(tokens: Tokens, sentAt: Ms): void {
    const index = this.#ring.find(TIME, sentAt);
    if (index < this.#ring.end) this.#ring.set(TOKENS, index, Math.max(0, this.#ring.get(TOKENS, index) + tokens));
  }

  restamp(since: Ms, until: Ms): void {
    for (let index = this.#ring.find(TIME, since); index < this.#ring.end; index++) this.#ring.set(TIME, index, until);
  }

  /** With wall times, as the wall clock stands now. */
  list(clock: Clock): readonly PastSend[] {
    const now = clock.now();
    const offset = clock.wall() - now;
    this.#forget(now);
    return Array.from({ length: this.#ring.end - this.#ring.first }, (_, entry) => {
      const index = this.#ring.first + entry;
      return {
        at: this.#ring.get(TIME, index) + offset,
        tokens: this.#ring.get(TOKENS, index),
        requests: this.#ring.get(REQUESTS, index),
      };
    });
  }

  #slot(time: Ms): number {
    return Math.floor((time * LOG_ENTRIES) / this.#spanMs);
  }

  #forget(now: Ms): void {
    while (this.#ring.first < this.#ring.end && this.#ring.get(TIME, this.#ring.first) + this.#spanMs <= now) {
      this.#ring.shift();
    }
  }
}
