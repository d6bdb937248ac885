import { parseJson } from "../../core/json.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import { usageOf } from "../transport/usage.ts";
import type { Permit } from "../types.ts";
import type { Limiter } from "./types.ts";

export interface LimitedFetchOptions {
  /** How many tokens a request will take of the limits, from its body. Called where that is JSON. Default: none. */
  readonly tokensOf?: (body: unknown) => Tokens;
  /** A server that asks for more patience than this is not asked again: its refusal is returned. Default 10 minutes. */
  readonly mostPatienceMs?: Ms;
  /** How often one request goes out again after it was refused. Then its refusal is returned. Default 10. */
  readonly mostRetries?: number;
  /** Default: the one of Node. */
  readonly fetch?: typeof fetch;
}

const MOST_PATIENCE: Ms = 600_000;
const MOST_RETRIES = 10;

/**
 * A `fetch` for any client that takes one (`new OpenAI({ fetch, maxRetries: 0 })`): each request waits for its permit, each
 * answer is observed, and what is refused for the rate goes out again after the pause, unless its body is a stream. Other
 * failures are the client's own matter.
 *
 * A permit is settled when the answer's headers are there, and of an answer in JSON when that has been read: by the tokens that
 * it says it used. Rejects with what `acquire` rejects with.
 */
export function limitedFetch(limiter: Limiter, options: LimitedFetchOptions = {}): typeof fetch {
  const { tokensOf, mostPatienceMs = MOST_PATIENCE, mostRetries = MOST_RETRIES, fetch: send = fetch } = options;
  return async (input, init) => {
    const request = typeof input === "string" || input instanceof URL ? undefined : input;
    const json = tokensOf === undefined ? undefined : parseJson(await textOf(request, init));
    const tokens = json === undefined ? 0 : (tokensOf?.(json) ?? 0);
    const signal = init?.signal ?? request?.signal;
    for (let retries = 0; ; retries++) {
      const permit = await limiter.acquire({ tokens }, signal === undefined ? {} : { signal });
      let response: Response;
      try {
        // The body of a request can be read once.
        response = await send(request?.clone() ?? input, init);
      } catch (error) {
        permit.settle();
        throw error;
      }
      if (response.ok) return observeAnswer(limiter, response, permit);
      const patienceMs = await observeRefusal(limiter, response, permit);
      const mayRepeat = patienceMs !== undefined && patienceMs <= mostPatienceMs && retries < mostRetries;
      if (!mayRepeat || isStream(init?.body)) return response;
      await response.body?.cancel();
    }
  };
}

function observeAnswer(limiter: Limiter, response: Response, permit: Permit): Response {
  limiter.observe({ status: response.status, headers: Object.fromEntries(response.headers) }, permit);
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  if (isJson && response.body !== null) void settleByUsage(response.clone(), permit);
  else permit.settle();
  return response;
}

/** Never rejects: an answer that breaks off does so for the client too. */
async function settleByUsage(answer: Response, permit: Permit): Promise<void> {
  const text = await answer.text().catch(() => "");
  const { input, output } = usageOf(parseJson(text));
  permit.settle(input === undefined || output === undefined ? undefined : input + output);
}

/** How long the server asks not to be asked, 0 where it does not say. `undefined`: no reason to ask again. */
async function observeRefusal(limiter: Limiter, response: Response, permit: Permit): Promise<Ms | undefined> {
  const text = await response
    .clone()
    .text()
    .catch(() => "");
  const headers = Object.fromEntries(response.headers);
  const seen = limiter.observe({ status: response.status, headers, error: parseJson(text) }, permit);
  permit.settle();
  return seen.kind === "paused" ? (seen.pause.retryAfterMs ?? 0) : undefined;
}

/** The body of a request; empty where it can be read once only. */
async function textOf(request: Request | undefined, init: RequestInit | undefined): Promise<string> {
  const body = init?.body;
  if (typeof body === "string") return body;
  const isElsewhere = body !== undefined && body !== null;
  return isElsewhere || request === undefined ? "" : await request.clone().text();
}

function isStream(body: unknown): boolean {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
