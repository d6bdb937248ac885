import type { Ms, Tokens } from "../../core/units.ts";
import { parseJson } from "../../core/json.ts";
import type { Limiter } from "./types.ts";

export interface LimitedFetchOptions {
  /** How many tokens a request will take of the limits, from its body where that is JSON. Default: none. */
  readonly tokensOf?: (body: unknown) => Tokens;
  /** A server that asks for more patience than this is not asked again: its refusal is returned. Default 10 minutes. */
  readonly mostPatienceMs?: Ms;
  /** Default: the one of Node. */
  readonly fetch?: typeof fetch;
}

const MOST_PATIENCE: Ms = 600_000;

/**
 * A `fetch` for any client that takes one (`new OpenAI({ fetch, maxRetries: 0 })`): each request waits for its permit, each
 * answer is observed, and what is refused for the rate goes out again after the pause, if its body is text. A permit is
 * settled when the answer's headers are there. Other failures are the client's own matter.
 */
export function limitedFetch(limiter: Limiter, options: LimitedFetchOptions = {}): typeof fetch {
  const { tokensOf = () => 0, mostPatienceMs = MOST_PATIENCE, fetch: send = fetch } = options;
  return async (input, init) => {
    const body = init?.body;
    const tokens = typeof body === "string" ? tokensOf(parseJson(body)) : 0;
    const isRepeatable =
      !(input instanceof Request) && (body === undefined || body === null || typeof body === "string");
    const signal = init?.signal;
    for (;;) {
      using permit = await limiter.acquire({ tokens }, signal instanceof AbortSignal ? { signal } : {});
      const response = await send(input, init);
      const { status } = response;
      const headers = Object.fromEntries(response.headers);
      const error = status < 400 ? undefined : parseJson(await response.clone().text());
      const seen = limiter.observe({ status, headers, error }, permit);
      if (seen.kind !== "paused" || !isRepeatable || (seen.pause.retryAfterMs ?? 0) > mostPatienceMs) return response;
      await response.body?.cancel();
    }
  };
}
