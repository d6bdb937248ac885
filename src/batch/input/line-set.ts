/** Line numbers, one bit each: a million lines are 125 kB. */
export class LineSet {
  #bits = new Uint8Array(1_024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(line: number): void {
    const at = line >>> 3;
    if (at >= this.#bits.length) {
      const old = this.#bits;
      this.#bits = new Uint8Array(Math.max(at + 1, old.length * 2));
      this.#bits.set(old);
    }
    if (!this.has(line)) this.#size += 1;
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (line & 7));
  }

  has(line: number): boolean {
    return ((this.#bits[line >>> 3] ?? 0) & (1 << (line & 7))) !== 0;
  }
}
