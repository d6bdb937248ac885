import { isUtf8 } from "node:buffer";

import type { Bytes } from "../../core/units.ts";

/** One line of a text file. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its line end. `undefined`: it has a flaw. */
  readonly text: string | undefined;
  /** `too_long`: it has more bytes than allowed, and none was kept. */
  readonly flaw?: "too_long" | "not_utf8";
}

/** A row of a batch holds a prompt with its pictures; what is longer is no row. */
const MAX_LINE_BYTES: Bytes = 64 * 1024 * 1024;

/**
 * What is written is longer than what is read: a line of failures has a row and an answer, of 64 MB each, and numbers may
 * grow. No text of JavaScript is longer than this.
 */
export const MAX_OWN_LINE_BYTES: Bytes = 500 * 1024 * 1024;

const NEWLINE = 10;

/**
 * Cuts a stream of bytes into lines, those of one chunk at a time: memory holds a chunk and one line, whatever the file. A
 * byte order mark, carriage returns at line ends and a missing last line end are no part of a line.
 */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: Bytes = MAX_LINE_BYTES,
): AsyncGenerator<readonly Line[]> {
  let rest: Buffer[] = [];
  let restBytes: Bytes = 0;
  let number = 0;
  const take = (end: Buffer): Line => {
    const bytes = restBytes + end.length;
    const whole = bytes > maxBytes || rest.length === 0 ? end : Buffer.concat([...rest, end]);
    rest = [];
    restBytes = 0;
    number += 1;
    if (bytes > maxBytes) return { number, text: undefined, flaw: "too_long" };
    if (!isUtf8(whole)) return { number, text: undefined, flaw: "not_utf8" };
    const text = textOf(whole);
    return { number, text: number === 1 ? text.replace(/^\uFEFF/, "") : text };
  };
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(take(chunk.subarray(start, end)));
      start = end + 1;
    }
    const tail = chunk.subarray(start);
    restBytes += tail.length;
    // What is too long already is counted and not kept.
    if (tail.length > 0 && restBytes <= maxBytes) rest.push(tail);
    if (lines.length > 0) yield lines;
  }
  if (restBytes > 0) yield [take(Buffer.alloc(0))];
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}
