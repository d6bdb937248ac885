import type { EpochMs, Ms } from "../../core/units.ts";
import { readNumber } from "./durations.ts";
import type { Dimension, Headers } from "./types.ts";

/** Above this a reset is an instant in seconds since 1970, not seconds from now. */
const LEAST_EPOCH_SECONDS = 1e9;
/** Above this it is in milliseconds. */
const LEAST_EPOCH_MS = 1e11;

/** `x-ratelimit-{limit,remaining,reset}` without a unit (GitHub, slowapi, OpenRouter): requests, and nothing until the reset. */
export function readBareLimits(headers: Headers, wall: EpochMs): readonly Dimension[] {
  const remaining = readNumber(headers["x-ratelimit-remaining"]);
  if (remaining === undefined) return [];
  const limit = readNumber(headers["x-ratelimit-limit"]);
  const reset = readNumber(headers["x-ratelimit-reset"]);
  const resetMs = reset === undefined ? undefined : untilReset(reset, serverTime(headers, wall));
  return [{ id: "x-ratelimit", unit: "requests", limit, remaining, resetMs, refill: "at_reset", windowMs: undefined }];
}

function untilReset(reset: number, now: EpochMs): Ms {
  if (reset < LEAST_EPOCH_SECONDS) return reset * 1_000;
  return Math.max(0, (reset < LEAST_EPOCH_MS ? reset * 1_000 : reset) - now);
}

function serverTime(headers: Headers, wall: EpochMs): EpochMs {
  const date = Date.parse(headers["date"] ?? "");
  return Number.isNaN(date) ? wall : date;
}
