/*
 * THE LAW
 *
 * A permit is given at one instant and its request is written a little later. If the process stands still in between (a
 * long computation, a collection of garbage), it is written when that is over, close to the requests that come after. So a
 * timer looks whether the process went on within half of the guard; if it did not, whatever was given since may have been
 * written as late as now, and counts from now.
 */
import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";

/** After which part of the guard it looks, and how much later than that it may get to do so. The rest is for the network. */
const PART = 1 / 4;

/** Notices that the process stood still after permits were given. */
export class WriteWatch {
  readonly #clock: Clock;
  readonly #stalled: (since: Ms, until: Ms) => void;
  #since: Ms | undefined;
  #last: Ms = 0;
  #dueAt: Ms = 0;
  #partMs: Ms = 0;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, stalled: (since: Ms, until: Ms) => void) {
    this.#clock = clock;
    this.#stalled = stalled;
  }

  /** A permit is given. */
  sent(now: Ms, guardMs: Ms): void {
    if (guardMs <= 0) return;
    this.#last = now;
    if (this.#since === undefined) this.#look(now, now + guardMs * PART, guardMs * PART);
  }

  /** Looks whether a timer is late. To be called before anything is decided. */
  check(now: Ms): void {
    if (this.#since === undefined || now <= this.#dueAt + this.#partMs) return;
    const since = this.#since;
    this.close();
    this.#stalled(since, now);
  }

  /** No timer is left. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#since = undefined;
  }

  #look(since: Ms, dueAt: Ms, partMs: Ms): void {
    this.#since = since;
    this.#dueAt = dueAt;
    this.#partMs = partMs;
    this.#cancel = this.#clock.after(dueAt - this.#clock.now(), () => this.#wake());
  }

  #wake(): void {
    const now = this.#clock.now();
    this.check(now);
    const since = this.#since;
    if (since === undefined) return;
    // What was given before this turn of the loop has been written.
    if (this.#last > since) this.#look(this.#last, now + this.#partMs, this.#partMs);
    else this.close();
  }
}
