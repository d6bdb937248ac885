const FIRST_CAPACITY = 8;

/**
 * A queue of numbers in columns. Entries keep their index for ever: the oldest is at `first`, the next one goes to `end`.
 * Reads outside of that are 0.
 */
export class Ring {
  readonly #columns: Float64Array[];
  #capacity = FIRST_CAPACITY;
  #first = 0;
  #end = 0;

  constructor(columns: number) {
    this.#columns = Array.from({ length: columns }, () => new Float64Array(FIRST_CAPACITY));
  }

  get first(): number {
    return this.#first;
  }

  get end(): number {
    return this.#end;
  }

  get(column: number, index: number): number {
    return this.#columns[column]?.[index & (this.#capacity - 1)] ?? 0;
  }

  set(column: number, index: number, value: number): void {
    const values = this.#columns[column];
    if (values !== undefined) values[index & (this.#capacity - 1)] = value;
  }

  /** Makes room for an entry of zeros and returns its index. */
  push(): number {
    if (this.#end - this.#first === this.#capacity) this.#grow();
    const index = this.#end++;
    for (let column = 0; column < this.#columns.length; column++) this.set(column, index, 0);
    return index;
  }

  /** Forgets the oldest entry. */
  shift(): void {
    if (this.#first < this.#end) this.#first += 1;
  }

  /** The first entry whose value in a column that never falls is not below `value`; `end` if there is none. */
  find(column: number, value: number): number {
    let low = this.#first;
    let high = this.#end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.get(column, middle) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    const capacity = 2 * this.#capacity;
    for (const [column, old] of this.#columns.entries()) {
      const values = new Float64Array(capacity);
      for (let index = this.#first; index < this.#end; index++) {
        values[index & (capacity - 1)] = old[index & (this.#capacity - 1)] ?? 0;
      }
      this.#columns[column] = values;
    }
    this.#capacity = capacity;
  }
}
