/** Counts per second of scenario time, from the start of the run on. */
export class Seconds {
  #counts = new Uint32Array(256);
  #length = 0;

  /** Seconds from the first to the last with a count. */
  get length(): number {
    return this.#length;
  }

  add(second: number, count = 1): void {
    while (second >= this.#counts.length) this.#grow();
    this.#counts[second] = (this.#counts[second] ?? 0) + count;
    this.#length = Math.max(this.#length, second + 1);
  }

  at(second: number): number {
    return this.#counts[second] ?? 0;
  }

  /** In [from, to). */
  sum(from: number, to: number): number {
    let total = 0;
    for (let second = from; second < to; second++) total += this.at(second);
    return total;
  }

  #grow(): void {
    const counts = new Uint32Array(2 * this.#counts.length);
    counts.set(this.#counts);
    this.#counts = counts;
  }
}

/** A stretch of whole seconds, [from, to), and the length of the windows that are looked at in it. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly window: number;
}

/** Calls `look` with the sums of each row in every window of the stretch, one beginning each second. Not at all where the stretch is shorter than a window. */
export function eachWindow(
  rows: readonly Seconds[],
  { from, to, window }: Stretch,
  look: (sums: readonly number[]) => void,
): void {
  if (to - from < window) return;
  const sums = rows.map((row) => row.sum(from, from + window));
  look(sums);
  for (let start = from; start + window < to; start++) {
    for (const [index, row] of rows.entries())
      sums[index] = (sums[index] ?? 0) - row.at(start) + row.at(start + window);
    look(sums);
  }
}
