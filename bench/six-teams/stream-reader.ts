/** What the beginning of a line says. The first event of a chat has an empty text, which is no token. */
const TOKEN = /^data: .*"content":"[^"]/;
const DONE = "data: [DONE]";

/** Counts the tokens of a streamed chat: one line each. */
export class StreamReader {
  #begun = "";
  done = false;

  /** How many tokens ended with this piece. */
  push(piece: string): number {
    const lines = (this.#begun + piece).split("\n");
    this.#begun = lines.pop() ?? "";
    if (lines.includes(DONE)) this.done = true;
    return lines.filter((line) => TOKEN.test(line)).length;
  }
}
