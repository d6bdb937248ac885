/**
 * Puts lines that come in any order into the order of their rows. What has come before its turn is held; whoever feeds it
 * bounds that, by not starting rows that are too far ahead of the oldest that is not finished.
 */
export class InOrder {
  readonly #held = new Map<number, () => void>();
  #next = 0;

  /** Rows before this place are out. */
  get next(): number {
    return this.#next;
  }

  get held(): number {
    return this.#held.size;
  }

  /** `place`: the how-manieth row of this run it is, from 0. */
  put(place: number, write: () => void): void {
    this.#held.set(place, write);
    for (let turn = this.#held.get(this.#next); turn !== undefined; turn = this.#held.get(this.#next)) {
      this.#held.delete(this.#next);
      this.#next += 1;
      turn();
    }
  }

  /** Writes what is held, in order, over the gaps of rows that will not finish in this run. */
  flush(): void {
    for (const [place, write] of [...this.#held].sort(([a], [b]) => a - b)) {
      this.#held.delete(place);
      this.#next = place + 1;
      write();
    }
  }
}
