import type { Ms } from "../../core/units.ts";
import type { Cost } from "../types.ts";

/** One request that waits for its permit. */
export interface Waiter {
  readonly cost: Cost;
  /** False once it has left, admitted or not. */
  isWaiting: boolean;
  readonly admit: (now: Ms) => void;
  readonly refuse: (reason: Error) => void;
}

/** Who waits, first come first served. Whoever leaves in the middle costs nothing until their turn. */
export class Line {
  #waiters: Waiter[] = [];
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Waiter | undefined {
    for (; this.#head < this.#waiters.length; this.#head++) {
      const waiter = this.#waiters[this.#head];
      if (waiter?.isWaiting === true) return waiter;
    }
    this.#waiters = [];
    this.#head = 0;
    return undefined;
  }

  push(waiter: Waiter): void {
    this.#waiters.push(waiter);
    this.#size += 1;
  }

  /** It leaves, whether its turn has come or not. Returns whether it was there. */
  leave(waiter: Waiter): boolean {
    if (!waiter.isWaiting) return false;
    waiter.isWaiting = false;
    this.#size -= 1;
    // What has left is swept when it is the majority.
    if (this.#waiters.length > 64 && this.#size * 2 < this.#waiters.length) {
      this.#waiters = this.#waiters.filter(({ isWaiting }) => isWaiting);
      this.#head = 0;
    }
    return true;
  }
}
