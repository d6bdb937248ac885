import { hash } from "node:crypto";

import type { Json } from "../../core/json.ts";

/** One request of a batch, as OpenAI's batch format has it. */
export interface BatchRow {
  /** Names the row in the output. Unique within a batch. */
  readonly customId: string;
  readonly method: "POST";
  /** The path of the endpoint: `/v1/chat/completions`. */
  readonly url: string;
  readonly body: Json;
}

/** A row, and where it stands in its file. */
export interface PlacedRow extends BatchRow {
  /** From 1. */
  readonly line: number;
}

const ID_PREFIX = "batch_req_";
const ID_DIGITS = 32;

/**
 * `batch_req_…`: 128 bits of the SHA-256 over everything that is asked. It stands in the output as the line's `id`, so that
 * the output alone tells which requests are finished, and whether a row asks something else by now.
 */
export function requestId({ customId, method, url, body }: BatchRow): string {
  const text = `${JSON.stringify(customId)} ${method} ${url} ${JSON.stringify(body)}`;
  return `${ID_PREFIX}${hash("sha256", text, "hex").slice(0, ID_DIGITS)}`;
}

/** 32 bits of a request's id, for tables. */
export function fingerprint(id: string): number {
  return Number.parseInt(id.slice(ID_PREFIX.length, ID_PREFIX.length + 8), 16) >>> 0;
}

export function isRequestId(id: unknown): id is string {
  return typeof id === "string" && id.length === ID_PREFIX.length + ID_DIGITS && /^batch_req_[\da-f]+$/.test(id);
}
