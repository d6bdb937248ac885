import type { EpochMs } from "../../core/units.ts";
import { readNumber, untilInstant } from "./durations.ts";
import type { Dimension, Headers } from "./types.ts";

const MINUTE = 60_000;

/** What an output will be is not known when a request goes out, so the limit on output tokens clamps nothing. */
const KINDS = ["requests", "tokens", "input-tokens"] as const;

/** `anthropic-ratelimit-*`: per minute, filling evenly; the reset is an RFC 3339 instant, read against the `date` header. */
export function readAnthropicLimits(headers: Headers, wall: EpochMs): readonly Dimension[] {
  return KINDS.flatMap((kind): Dimension[] => {
    const prefix = `anthropic-ratelimit-${kind}`;
    const limit = readNumber(headers[`${prefix}-limit`]);
    const remaining = readNumber(headers[`${prefix}-remaining`]);
    if (limit === undefined && remaining === undefined) return [];
    const resetMs = untilInstant(headers[`${prefix}-reset`], headers["date"], wall);
    const unit = kind === "requests" ? "requests" : "tokens";
    return [{ id: prefix, unit, limit, remaining, resetMs, refill: "gradual", windowMs: MINUTE }];
  });
}
