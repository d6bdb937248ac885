import { type Dispatcher, request } from "undici";

import type { Ms } from "../../core/units.ts";

/** More than any list or page of metrics. */
const MOST_BYTES = 16 * 2 ** 20;

export interface FetchOptions {
  readonly method?: "GET" | "POST";
  readonly key?: string;
  /** JSON. */
  readonly body?: string;
  readonly dispatcher: Dispatcher;
  /** Ends the request, by a rejection. */
  readonly signal?: AbortSignal;
}

/** Where a server does not answer an own small request. Real time; undici ends silent requests after 1 to 2 s more. */
export const SILENCE_MS: Ms = 5_000;

/** The body of a small answer. Rejects, with the URL and the status in words, where that is not 200. */
export async function fetchText(url: string, options: FetchOptions): Promise<string> {
  const { method = "GET", key = "", body: sent = null, dispatcher, signal = null } = options;
  const headers = {
    ...(key !== "" && { authorization: `Bearer ${key}` }),
    ...(sent !== null && { "content-type": "application/json" }),
  };
  const { statusCode, body } = await request(url, { method, headers, body: sent, dispatcher, signal });
  const pieces: string[] = [];
  let length = 0;
  body.setEncoding("utf8");
  for await (const piece of body as AsyncIterable<string>) {
    length += piece.length;
    if (length > MOST_BYTES) throw new Error(`${method} ${url}: the answer is too long`);
    pieces.push(piece);
  }
  if (statusCode !== 200) throw new Error(`${method} ${url}: status ${statusCode}`);
  return pieces.join("");
}
