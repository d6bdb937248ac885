import type { Random } from "../../core/random.ts";
import type { Ms } from "../../core/units.ts";
import type { RetryStyle } from "../scenario/types.ts";

/** What came of an attempt that was not served. */
export interface FailedAttempt {
  /** From 1. */
  readonly attempt: number;
  /** 0 where there was no answer. */
  readonly status: number;
  readonly retryAfterMs: Ms | undefined;
  readonly shouldRetry: boolean | undefined;
}

const IMPATIENCE_MS: Ms = 50;

/** Nobody asks again in the same instant. */
const LEAST_MS: Ms = 1;

/** What the polite do where nobody tells them when. */
const POLITE_MS: Ms = 1_000;

/** OpenAI's and Anthropic's SDKs: two retries; the header counts up to a minute, else half a second that doubles up to 8 s. */
const SDK_RETRIES = 2;
const SDK_LONGEST_HEADER_MS: Ms = 60_000;
const SDK_FIRST_MS: Ms = 500;
const SDK_LONGEST_MS: Ms = 8_000;
const SDK_JITTER = 0.25;

/** How long a client waits before it asks again; `undefined`: it does not. What no waiting can mend nobody tries again. */
export function retryIn(style: RetryStyle, failed: FailedAttempt, random: Random): Ms | undefined {
  switch (style) {
    case "none":
      return undefined;
    case "impatient":
      return isWorthIt(failed.status) ? IMPATIENCE_MS : undefined;
    case "polite":
      return isWorthIt(failed.status) ? Math.max(LEAST_MS, failed.retryAfterMs ?? POLITE_MS) : undefined;
    case "sdk":
      return sdkRetryIn(failed, random);
  }
}

/** Source: `shouldRetry` and `retryRequest` of the npm packages openai and @anthropic-ai/sdk. */
function sdkRetryIn({ attempt, status, retryAfterMs, shouldRetry }: FailedAttempt, random: Random): Ms | undefined {
  if (attempt > SDK_RETRIES || !(shouldRetry ?? isWorthIt(status))) return undefined;
  if (retryAfterMs !== undefined && retryAfterMs >= 0 && retryAfterMs < SDK_LONGEST_HEADER_MS) return retryAfterMs;
  return Math.min(SDK_FIRST_MS * 2 ** (attempt - 1), SDK_LONGEST_MS) * (1 - SDK_JITTER * random());
}

function isWorthIt(status: number): boolean {
  return status === 0 || status === 408 || status === 409 || status === 429 || status >= 500;
}
