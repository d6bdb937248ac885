import type { IncomingMessage } from "node:http";

import type { Bytes } from "../../core/units.ts";

/** Bytes of request bodies in memory, of all requests together. */
export class BodyBudget {
  readonly #limit: Bytes;
  #held: Bytes = 0;

  constructor(limit: Bytes) {
    this.#limit = limit;
  }

  get held(): Bytes {
    return this.#held;
  }

  /** False if there is no room; then nothing is taken. */
  take(bytes: Bytes): boolean {
    if (this.#held + bytes > this.#limit) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: Bytes): void {
    this.#held -= bytes;
  }
}

/** What came of reading a body. `aborted`: the client went away first. Only `complete` still holds bytes of the budget. */
export type BodyResult =
  | { readonly kind: "complete"; readonly body: Buffer }
  | { readonly kind: "too_large" }
  | { readonly kind: "no_room" }
  | { readonly kind: "aborted" };

const EMPTY = Buffer.alloc(0);

/** Reads a whole body, up to `limit` bytes, and stops as soon as it is clear that it will not fit. Calls `done` once. */
export function readBody(
  request: IncomingMessage,
  limit: Bytes,
  budget: BodyBudget,
  done: (result: BodyResult) => void,
): void {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > limit) return done({ kind: "too_large" });
  const chunks: Buffer[] = [];
  let length = 0;
  const finish = (result: BodyResult): void => {
    request.off("data", onData).off("end", onEnd).off("close", onClose);
    if (result.kind !== "complete") budget.give(length);
    done(result);
  };
  const onData = (chunk: Buffer): void => {
    if (length + chunk.length > limit) return finish({ kind: "too_large" });
    if (!budget.take(chunk.length)) return finish({ kind: "no_room" });
    length += chunk.length;
    chunks.push(chunk);
  };
  const onEnd = (): void => {
    const only = chunks.length === 1 ? chunks[0] : undefined;
    finish({ kind: "complete", body: only ?? (length === 0 ? EMPTY : Buffer.concat(chunks, length)) });
  };
  const onClose = (): void => finish({ kind: "aborted" });
  request.on("data", onData).on("end", onEnd).on("close", onClose);
}
