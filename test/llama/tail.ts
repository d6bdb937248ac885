import type { Readable } from "node:stream";

const TAIL_LENGTH = 4_000;

/** Reads `stream` to its end and remembers the last part. The function returned gives what there is so far. */
export function tailOf(stream: Readable): () => string {
  let tail = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    tail = (tail + chunk).slice(-TAIL_LENGTH);
  });
  return () => tail.trimEnd();
}
