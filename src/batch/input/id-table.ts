/** Sentinel: the lines of a file count from 1. */
const EMPTY = 0;
const FIRST_SLOTS = 1_024;

/** What a table knows of one id. */
export interface IdEntry {
  /** Where the id stands, from 1. */
  readonly line: number;
  /** 32 bits of what was asked under it. */
  readonly fingerprint: number;
}

/**
 * A map from ids to two numbers that costs 32 to 64 bytes an id, however long the ids are: open addressing over 64 bits of a
 * hash. That two different ids of a million share them has a chance of 3 in 100 million.
 */
export class IdTable {
  #size = 0;
  #mask = FIRST_SLOTS - 1;
  #cells = new Uint32Array(FIRST_SLOTS * 4);

  get size(): number {
    return this.#size;
  }

  /** Keeps the entry, unless the id has one: then returns that. */
  add(id: string, { line, fingerprint }: IdEntry): IdEntry | undefined {
    const [high, low] = hash64(id);
    const at = this.#find(high, low);
    const there = this.#entryAt(at);
    if (there !== undefined) return there;
    this.#cells.set([high, low, line, fingerprint], at);
    this.#size += 1;
    if (this.#size * 2 > this.#mask) this.#grow();
    return undefined;
  }

  get(id: string): IdEntry | undefined {
    const [high, low] = hash64(id);
    return this.#entryAt(this.#find(high, low));
  }

  #entryAt(at: number): IdEntry | undefined {
    const line = this.#cells[at + 2] ?? EMPTY;
    return line === EMPTY ? undefined : { line, fingerprint: this.#cells[at + 3] ?? 0 };
  }

  /** The cell of the hash, or the free one where it belongs. */
  #find(high: number, low: number): number {
    const cells = this.#cells;
    for (let slot = low & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = slot * 4;
      if (cells[at + 2] === EMPTY || (cells[at] === high && cells[at + 1] === low)) return at;
    }
  }

  #grow(): void {
    const old = this.#cells;
    this.#cells = new Uint32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let at = 0; at < old.length; at += 4) {
      if (old[at + 2] === EMPTY) continue;
      this.#cells.set(old.subarray(at, at + 4), this.#find(old[at] ?? 0, old[at + 1] ?? 0));
    }
  }
}

/** Two multiplicative hashes that mix each other (cyrb53 by bryc, public domain), all 64 bits of them. */
function hash64(text: string): readonly [number, number] {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2_654_435_761);
    low = Math.imul(low ^ unit, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return [high >>> 0, low >>> 0];
}
