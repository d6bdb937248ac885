import type { BatchRow } from "../input/row.ts";

/** A row, and the how-manieth of the run it is, from 0. */
export interface FedRow {
  readonly row: BatchRow;
  readonly place: number;
}

/** Where a run takes its rows from. */
export interface Feed {
  /** The next row; `undefined` where there is none now: `fill` brings more, unless `ended`. */
  take(): FedRow | undefined;
  readonly ended: boolean;
  /** Resolves when there is more, or the end is known. Rejects where the input cannot be read. One call at a time. */
  fill(): Promise<void>;
  /** Lets go of the input. */
  close(): Promise<void>;
}

/** Rows in the order of the input, read a chunk ahead. */
export class InputFeed implements Feed {
  readonly #chunks: AsyncIterator<readonly BatchRow[]>;
  #chunk: readonly BatchRow[] = [];
  #at = 0;
  #place = 0;
  #ended = false;

  constructor(chunks: AsyncIterable<readonly BatchRow[]>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  get ended(): boolean {
    return this.#ended && this.#at >= this.#chunk.length;
  }

  take(): FedRow | undefined {
    const row = this.#chunk[this.#at];
    if (row === undefined) return undefined;
    this.#at += 1;
    return { row, place: this.#place++ };
  }

  async fill(): Promise<void> {
    const { done, value } = await this.#chunks.next();
    if (done === true) this.#ended = true;
    else {
      this.#chunk = value;
      this.#at = 0;
    }
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#chunk = [];
    await this.#chunks.return?.();
  }
}

/** So many rows are looked at to find the longest. */
const WINDOW = 1_000;

/**
 * Of the next thousand rows the one first that is expected to take the longest: a long answer that is begun last keeps the
 * whole run waiting (Jackson's rule, for start times that a limit has fixed).
 */
export class LongestFirstFeed implements Feed {
  readonly #input: Feed;
  readonly #lengthOf: (row: BatchRow) => number;
  readonly #heap: { readonly fed: FedRow; readonly length: number }[] = [];

  constructor(input: Feed, lengthOf: (row: BatchRow) => number) {
    this.#input = input;
    this.#lengthOf = lengthOf;
  }

  get ended(): boolean {
    return this.#heap.length === 0 && this.#input.ended;
  }

  take(): FedRow | undefined {
    while (this.#heap.length < WINDOW) {
      const fed = this.#input.take();
      if (fed === undefined) break;
      this.#push({ fed, length: this.#lengthOf(fed.row) });
    }
    // The window is worth a look at the disk, where there is more.
    if (this.#heap.length < WINDOW && !this.#input.ended) return undefined;
    return this.#pop()?.fed;
  }

  fill(): Promise<void> {
    return this.#input.fill();
  }

  close(): Promise<void> {
    this.#heap.length = 0;
    return this.#input.close();
  }

  #push(entry: { readonly fed: FedRow; readonly length: number }): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || before(above, entry)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): { readonly fed: FedRow; readonly length: number } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && before(right, left);
      const child = isRight ? right : left;
      if (before(last, child)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
    return first;
  }
}

/** Equal lengths go in the order of the input. */
function before(
  a: { readonly fed: FedRow; readonly length: number },
  b: { readonly fed: FedRow; readonly length: number },
): boolean {
  return a.length > b.length || (a.length === b.length && a.fed.place < b.fed.place);
}
