import { WHO } from "../who.ts";
import type { GateError } from "../http/reply.ts";
import type { Anonymous, Refused, Throttled, Unavailable, Why } from "./identification.ts";

// Each is made once: to refuse somebody allocates nothing.

export const ANONYMOUS: Anonymous = { kind: "anonymous" };

/** Builds a refusal. `problem` is a sentence without its full stop. */
export function refusal(why: Why, problem: string): Refused {
  return { kind: "refused", why, message: `${WHO} ${problem}.` };
}

const HOW = "send it as Authorization: Bearer, or as x-api-key";

export const MISSING: Refused = refusal("missing", `the request has no key; ${HOW}`);
export const UNKNOWN_KEY: Refused = refusal("unknown", "nobody here has that key");
export const MISTYPED: Refused = refusal(
  "mistyped",
  "that key is mistyped or cut off: its checksum, the last six characters, does not fit the rest",
);
export const EXPIRED_KEY: Refused = refusal("expired", "that key has expired; ask the operator for a new one");
export const DISABLED: Refused = refusal("disabled", "the consumer that this stands for is switched off");
export const DUPLICATE: Refused = refusal("duplicate", "the request has more than one key; send one");
export const OVERSIZED: Refused = refusal("oversized", "that is too long for a key");
export const UNTRUSTED_HEADER: Refused = refusal(
  "untrusted",
  `the request has no key, and its address may not say by a header who it is; ${HOW}`,
);
export const REPEATED_IDENTITY: Refused = refusal("duplicate", "the proxy in front named a consumer more than once");
export const UNKNOWN_IDENTITY: Refused = refusal(
  "unknown",
  "the proxy in front named somebody who is no consumer here",
);
export const UNKNOWN_SUBJECT: Refused = refusal("unknown", "the token names nobody who is a consumer here");

/** What to answer to somebody who is not let in: 401, or 429 and 503 with the time to come back. */
export function refusalError(refused: Refused | Throttled | Unavailable): GateError {
  switch (refused.kind) {
    case "refused":
      return { outcome: "unauthenticated", message: refused.message };
    case "throttled":
      return {
        outcome: "unauthenticated",
        status: 429,
        message: `${WHO} too many requests from this address had no good key.`,
        retryAfterMs: refused.retryAfterMs,
      };
    case "unavailable":
      return {
        outcome: "unauthenticated",
        status: 503,
        message: `${WHO} tokens cannot be checked at present, because their issuer's keys cannot be had.`,
        retryAfterMs: refused.retryAfterMs,
      };
  }
}
