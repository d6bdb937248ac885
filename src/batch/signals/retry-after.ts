import type { EpochMs } from "../../core/units.ts";
import { readNumber, untilInstant } from "./durations.ts";
import type { Headers, RetryAfter } from "./types.ts";

/** `retry-after-ms`, else `retry-after` in seconds or as a date. */
export function readRetryAfter(headers: Headers, wall: EpochMs): RetryAfter | undefined {
  const exact = readNumber(headers["retry-after-ms"]);
  if (exact !== undefined) return { ms: exact, isExact: true };
  const seconds = readNumber(headers["retry-after"]);
  if (seconds !== undefined) return { ms: seconds * 1_000, isExact: false };
  const ms = untilInstant(headers["retry-after"], headers["date"], wall);
  return ms === undefined ? undefined : { ms, isExact: false };
}
