import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";

/** Things that come back later, in the order of their time. One timer, at the earliest. */
export class Delayed<T> {
  readonly #clock: Clock;
  readonly #due: () => void;
  readonly #entries: { readonly at: Ms; readonly value: T }[] = [];
  #timer: { readonly at: Ms; readonly cancel: Cancel } | undefined;

  /** `due` is called when something may be taken. */
  constructor(clock: Clock, due: () => void) {
    this.#clock = clock;
    this.#due = due;
  }

  get size(): number {
    return this.#entries.length;
  }

  put(value: T, delay: Ms): void {
    const at = this.#clock.now() + delay;
    // The runner lets few wait at once.
    const after = this.#entries.findIndex((entry) => entry.at > at);
    this.#entries.splice(after === -1 ? this.#entries.length : after, 0, { at, value });
    this.#arm();
  }

  /** What is due, earliest first. */
  take(): T | undefined {
    const first = this.#entries[0];
    if (first === undefined) return undefined;
    if (first.at > this.#clock.now()) {
      // A timer may fire early.
      this.#arm();
      return undefined;
    }
    this.#entries.shift();
    this.#arm();
    return first.value;
  }

  clear(): void {
    this.#entries.length = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    const at = this.#entries[0]?.at;
    if (at === undefined || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#timer?.cancel();
    const run = (): void => {
      this.#timer = undefined;
      this.#due();
    };
    this.#timer = { at, cancel: this.#clock.after(at - this.#clock.now(), run) };
  }
}
