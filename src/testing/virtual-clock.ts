import type { Cancel, Clock } from "../contracts/clock.ts";
import type { EpochMs, Ms } from "../core/units.ts";

interface Scheduled {
  readonly at: Ms;
  readonly order: number;
  readonly run: () => void;
  /** False once it ran or was cancelled. */
  live: boolean;
}

/**
 * A clock that stands still until it is told to move. Calls run in order of their time, then of their scheduling, each
 * seeing `now()` at exactly its own time. A call scheduled by another call runs in the same advance if it is due.
 */
export class VirtualClock implements Clock {
  #now: Ms = 0;
  #order = 0;
  readonly #heap: Scheduled[] = [];
  #cancelled = 0;
  readonly #epoch: EpochMs;

  constructor(epoch: EpochMs = 1_700_000_000_000) {
    this.#epoch = epoch;
  }

  now(): Ms {
    return this.#now;
  }

  wall(): EpochMs {
    return this.#epoch + this.#now;
  }

  after(delay: Ms, run: () => void): Cancel {
    const entry = { at: this.#now + Math.max(0, delay), order: this.#order++, run, live: true };
    push(this.#heap, entry);
    return () => {
      if (!entry.live) return;
      entry.live = false;
      this.#cancelled += 1;
      // Cancelled calls stay in the heap until their time; sweep when they are the majority.
      if (this.#cancelled > 64 && this.#cancelled * 2 > this.#heap.length) this.#sweep();
    };
  }

  /** Moves time forward by `duration` and runs everything that falls due. */
  advance(duration: Ms): void {
    this.runUntil(this.#now + duration);
  }

  /** Runs everything due up to and including `end`, then stands at `end`. */
  runUntil(end: Ms): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) this.#runNext();
    this.#now = Math.max(this.#now, end);
  }

  /** Runs until nothing is scheduled any more. Throws after `limit` calls, which means that something reschedules itself for ever. */
  runAll(limit = 10_000_000): void {
    for (let calls = 0; this.#heap.length > 0; calls++) {
      if (calls >= limit) throw new Error(`VirtualClock.runAll: still busy after ${limit} calls`);
      this.#runNext();
    }
  }

  /** How many calls are scheduled and not cancelled. Zero means that every timer was given back. */
  get pending(): number {
    return this.#heap.length - this.#cancelled;
  }

  #runNext(): void {
    const entry = pop(this.#heap);
    if (entry === undefined) return;
    if (!entry.live) {
      this.#cancelled -= 1;
      return;
    }
    entry.live = false;
    this.#now = entry.at;
    entry.run();
  }

  #sweep(): void {
    const live = this.#heap.filter((entry) => entry.live).sort(inOrder);
    this.#cancelled = 0;
    this.#heap.splice(0, this.#heap.length, ...live);
  }
}

function inOrder(a: Scheduled, b: Scheduled): number {
  return a.at - b.at || a.order - b.order;
}

function push(heap: Scheduled[], entry: Scheduled): void {
  let index = heap.length;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || inOrder(above, entry) <= 0) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Scheduled[]): Scheduled | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    const left = heap[child];
    const right = heap[child + 1];
    if (left === undefined) break;
    let smaller = left;
    if (right !== undefined && inOrder(right, left) < 0) {
      smaller = right;
      child += 1;
    }
    if (inOrder(last, smaller) <= 0) break;
    heap[index] = smaller;
    index = child;
  }
  heap[index] = last;
  return first;
}
