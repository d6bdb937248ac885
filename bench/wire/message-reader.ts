/** Hears what a reader finds. */
export interface MessageListener {
  /** A whole message went by; `head` is its first line and its headers. */
  message(head: string): void;
  /** One chunk of a chunked body went by. */
  chunk(): void;
}

const EMPTY = Buffer.alloc(0);
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked/i;

/** Cuts what a socket delivers into HTTP messages. Just enough of a parser for peers that are known to behave. */
export class MessageReader {
  readonly #listener: MessageListener;
  #state: "head" | "body" | "size" | "chunk" | "end" = "head";
  #head = "";
  /** Bytes of the body, or of the present chunk with its line end, that are still to come. */
  #left = 0;
  /** The beginning of a head or of a chunk's size whose rest is still to come. */
  #begun: Buffer = EMPTY;

  constructor(listener: MessageListener) {
    this.#listener = listener;
  }

  push(piece: Buffer): void {
    const bytes = this.#begun.length === 0 ? piece : Buffer.concat([this.#begun, piece]);
    this.#begun = EMPTY;
    let at = 0;
    while (at < bytes.length) {
      const next = this.#state === "head" || this.#state === "size" ? this.#readLine(bytes, at) : this.#skip(bytes, at);
      if (next === undefined) {
        this.#begun = bytes.subarray(at);
        return;
      }
      at = next;
    }
  }

  /** Reads a head or a chunk's size. Undefined: it is not all there yet. */
  #readLine(bytes: Buffer, at: number): number | undefined {
    const mark = this.#state === "head" ? "\r\n\r\n" : "\r\n";
    const end = bytes.indexOf(mark, at, "latin1");
    if (end === -1) return undefined;
    const text = bytes.toString("latin1", at, end);
    if (this.#state === "head") this.#beginBody(text);
    else this.#beginChunk(Number.parseInt(text, 16));
    return end + mark.length;
  }

  #beginBody(head: string): void {
    this.#head = head;
    this.#left = Number(LENGTH.exec(head)?.[1] ?? 0);
    if (this.#left > 0) this.#state = "body";
    else if (CHUNKED.test(head)) this.#state = "size";
    else this.#finish();
  }

  #beginChunk(size: number): void {
    this.#state = size === 0 ? "end" : "chunk";
    this.#left = size + 2;
  }

  #skip(bytes: Buffer, at: number): number {
    const skipped = Math.min(this.#left, bytes.length - at);
    this.#left -= skipped;
    if (this.#left === 0) {
      if (this.#state === "chunk") {
        this.#state = "size";
        this.#listener.chunk();
      } else this.#finish();
    }
    return at + skipped;
  }

  #finish(): void {
    this.#state = "head";
    this.#listener.message(this.#head);
  }
}
