import type { Cancel, Clock } from "../contracts/clock.ts";
import { heapIndexSlot, IndexedHeap } from "../core/dispatch/heap.ts";
import type { Ms } from "../core/units.ts";

/** Something that may wait until `deadline`, on the monotonic clock. */
export interface Perishable {
  readonly deadline: Ms;
  heapIndex: number;
}

/**
 * Many deadlines on one timer. The timer stands at or before the earliest deadline: when an earlier one arrives it is
 * set again, when the earliest leaves it is left alone and looks again when it fires. Nothing waits: no timer.
 */
export class Deadlines<P extends Perishable> {
  readonly #clock: Clock;
  readonly #expire: (late: P) => void;
  readonly #heap: IndexedHeap<P> = new IndexedHeap<P>((a, b) => a.deadline < b.deadline, heapIndexSlot);
  #timerAt: Ms = Infinity;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, expire: (late: P) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** The one that has to go first. */
  get first(): P | undefined {
    return this.#heap.peek();
  }

  add(entry: P): void {
    this.#heap.push(entry);
    if (entry.deadline < this.#timerAt) this.#arm(entry.deadline);
  }

  remove(entry: P): void {
    if (this.#heap.has(entry)) this.#heap.remove(entry);
    if (this.#heap.size === 0) this.#disarm();
  }

  #arm(at: Ms): void {
    this.#cancel?.();
    this.#timerAt = at;
    this.#cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => this.#fire());
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#timerAt = Infinity;
  }

  #fire(): void {
    this.#cancel = undefined;
    this.#timerAt = Infinity;
    const now = this.#clock.now();
    for (let first = this.#heap.peek(); first !== undefined && first.deadline <= now; first = this.#heap.peek()) {
      this.#heap.remove(first);
      this.#expire(first);
    }
    const next = this.#heap.peek();
    if (next !== undefined && next.deadline < this.#timerAt) this.#arm(next.deadline);
  }
}
