import type { Ms } from "../../core/units.ts";
import type { Cost } from "../types.ts";

/** Servers tell instants apart by no less, and some want more than a window between two, not just a window. */
const TICK: Ms = 1;

/** One request that went out. */
export interface Send {
  /** When its permit was given. */
  readonly givenAt: Ms;
  /** From when on it is taken to have been written: later than the permit where the process stood still. */
  at: Ms;
  readonly requests: number;
  tokens: number;
  /** When it has been counted at the latest; `undefined` while that is to come. */
  countedBy: Ms | undefined;
}

/** The requests that may not have been counted yet: neither is their answer there, nor is the guard over. Oldest first. */
export class OpenSends {
  readonly #closed: (send: Send, at: Ms) => void;
  #sends: Send[] = [];
  #first = 0;
  #requests = 0;
  #tokens = 0;
  #lastClosed: Ms = -Infinity;
  guardMs: Ms;

  /** `closed` hears of each one that has been counted, in the order of the instants. */
  constructor(guardMs: Ms, closed: (send: Send, at: Ms) => void) {
    this.guardMs = guardMs;
    this.#closed = closed;
  }

  sum(unit: keyof Cost): number {
    return unit === "requests" ? this.#requests : this.#tokens;
  }

  push(send: Send): void {
    this.#sends.push(send);
    this.#requests += send.requests;
    this.#tokens += send.tokens;
  }

  /** Its answer is there. */
  answered(send: Send, now: Ms): void {
    this.closeUntil(now);
    if (send.countedBy === undefined) this.#close(send, Math.min(now + TICK, send.at + this.guardMs));
  }

  /** Closes those whose guard is over. */
  closeUntil(now: Ms): void {
    for (let send = this.#oldest(); send !== undefined && send.at + this.guardMs <= now; send = this.#oldest()) {
      this.#close(send, send.at + this.guardMs);
    }
  }

  /** An open request took so many more tokens than was thought, or fewer. */
  adjust(send: Send, tokens: number): void {
    send.tokens += tokens;
    this.#tokens += tokens;
  }

  /** When so much of what is open has been counted at the latest. */
  dueFor(unit: keyof Cost, missing: number): Ms {
    let left = missing;
    let dueAt = -Infinity;
    for (let index = this.#first; left > 0 && index < this.#sends.length; index++) {
      const send = this.#sends[index];
      if (send === undefined || send.countedBy !== undefined) continue;
      left -= send[unit];
      dueAt = send.at + this.guardMs;
    }
    return dueAt;
  }

  /** What went out at `since` or later may have been written as late as `until`. Returns what that is together. */
  restamp(since: Ms, until: Ms): Cost {
    let [requests, tokens] = [0, 0];
    for (let index = this.#sends.length - 1; index >= this.#first; index--) {
      const send = this.#sends[index];
      if (send === undefined || send.at < since) break;
      if (send.countedBy !== undefined) continue;
      send.at = until;
      requests += send.requests;
      tokens += send.tokens;
    }
    return { requests, tokens };
  }

  #oldest(): Send | undefined {
    for (; this.#first < this.#sends.length; this.#first++) {
      const send = this.#sends[this.#first];
      if (send?.countedBy === undefined) break;
    }
    // What is closed is swept when it is the majority.
    if (this.#first > 32 && this.#first * 2 > this.#sends.length) {
      this.#sends = this.#sends.slice(this.#first);
      this.#first = 0;
    }
    return this.#sends[this.#first];
  }

  #close(send: Send, at: Ms): void {
    // A guard that has become shorter must not turn the order round.
    this.#lastClosed = Math.max(this.#lastClosed, at);
    send.countedBy = this.#lastClosed;
    this.#requests -= send.requests;
    this.#tokens -= send.tokens;
    this.#closed(send, this.#lastClosed);
  }
}
