import type { Bytes, Tokens } from "../../core/units.ts";

/** How an answer is cut into messages. */
export type Framing = "sse" | "ndjson";

/** Enough of a line to judge it by: longer than the name of any event. */
const HEAD_BYTES: Bytes = 64;

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const OPEN_LIST = 91;
const LETTER_D = 100;
const LETTER_E = 101;

/**
 * Counts the messages of a stream that bring output, from its lines alone; no JSON is parsed. Model servers send one token
 * or more in each, so that the count is a lower bound of the tokens.
 *
 * Where events have names (Anthropic, Responses) those named `…delta` count, but for `message_delta`. Otherwise every
 * `data:` line counts, less the first, which may bring the role only, and less the last before `[DONE]`, which brings the
 * reason of the end. In Ollama's streams every line counts.
 */
export class ContentCounter {
  readonly #framing: Framing;
  /** The beginning of a line whose end has not come. */
  readonly #head: Buffer = Buffer.alloc(HEAD_BYTES);
  #headLength: Bytes = 0;
  #named: boolean | undefined;
  #deltas = 0;
  #lines = 0;
  #isDone = false;

  constructor(framing: Framing) {
    this.#framing = framing;
  }

  get count(): Tokens {
    if (this.#framing === "ndjson") return this.#lines;
    if (this.#named === true) return this.#deltas;
    return Math.max(0, this.#lines - (this.#isDone ? 2 : 1));
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      if (this.#headLength === 0) {
        this.#judge(chunk, start, end);
      } else {
        this.#keep(chunk, start, end);
        this.#judge(this.#head, 0, this.#headLength);
        this.#headLength = 0;
      }
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk, start, chunk.length);
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const most = Math.min(end, start + HEAD_BYTES - this.#headLength);
    if (most > start) this.#headLength += chunk.copy(this.#head, this.#headLength, start, most);
  }

  #judge(bytes: Buffer, start: number, end: number): void {
    if (this.#framing === "ndjson") {
      if (end - start > 1) this.#lines += 1;
      return;
    }
    const first = bytes[start];
    if (first === LETTER_D) this.#judgeData(bytes, start, end);
    else if (first === LETTER_E) this.#judgeName(bytes, start, end);
  }

  #judgeData(bytes: Buffer, start: number, end: number): void {
    this.#named ??= false;
    const value = start + (bytes[start + 5] === SPACE ? 6 : 5);
    if (value >= end || bytes[value] === RETURN) return;
    if (bytes[value] === OPEN_LIST) this.#isDone = true;
    else this.#lines += 1;
  }

  #judgeName(bytes: Buffer, start: number, end: number): void {
    this.#named ??= true;
    const line = bytes.toString("latin1", start, bytes[end - 1] === RETURN ? end - 1 : end);
    if (line.endsWith("delta") && !line.endsWith("message_delta")) this.#deltas += 1;
  }
}
