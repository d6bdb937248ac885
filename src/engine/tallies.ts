/** What one member has had from the gate since the start, or since it was last forgotten. */
export interface Tally {
  admitted: number;
  refused: number;
}

/** Counts per member, in bounded memory: the one that was new the longest ago is forgotten first. */
export class Tallies {
  readonly #capacity: number;
  readonly #tallies = new Map<string, Tally>();

  constructor(capacity = 1_000) {
    this.#capacity = capacity;
  }

  of(member: string): Tally {
    const known = this.#tallies.get(member);
    if (known !== undefined) return known;
    if (this.#tallies.size >= this.#capacity) {
      const [oldest] = this.#tallies.keys();
      if (oldest !== undefined) this.#tallies.delete(oldest);
    }
    const tally = { admitted: 0, refused: 0 };
    this.#tallies.set(member, tally);
    return tally;
  }

  entries(): IterableIterator<[string, Tally]> {
    return this.#tallies.entries();
  }
}
