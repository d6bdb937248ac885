import type { Bytes } from "../../core/units.ts";

/** The end of a stream of chunks: at least the last `most` bytes, kept as the chunks that they came in. */
export class Tail {
  readonly #most: Bytes;
  readonly #chunks: Buffer[] = [];
  #length: Bytes = 0;
  #isWhole = true;

  constructor(most: Bytes) {
    this.#most = most;
  }

  /** Whether nothing has been dropped yet. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    for (let first = this.#chunks[0]; first !== undefined; first = this.#chunks[0]) {
      if (this.#length - first.length < this.#most) return;
      this.#chunks.shift();
      this.#length -= first.length;
      this.#isWhole = false;
    }
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks, this.#length);
  }
}
