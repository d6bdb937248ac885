import type { EpochMs } from "../../core/units.ts";
import type { LimitSignal } from "../types.ts";
import { readAnthropicLimits } from "./anthropic.ts";
import { readBareLimits } from "./bare-limits.ts";
import { readExhaustion } from "./exhaustion.ts";
import { readIetfLimits } from "./ietf.ts";
import { readNamedLimits } from "./named-limits.ts";
import { readRetryAfter } from "./retry-after.ts";
import type { SignalReading } from "./types.ts";

/** Reads all that an answer says about going on, in whatever dialect. What is malformed is as good as not there. */
export function readSignal({ status, headers, error }: LimitSignal, wall: EpochMs): SignalReading {
  return {
    retryAfter: readRetryAfter(headers, wall),
    shouldRetry: readFlag(headers["x-should-retry"]),
    dimensions: [
      ...readNamedLimits(headers),
      ...readAnthropicLimits(headers, wall),
      ...readIetfLimits(headers),
      ...readBareLimits(headers, wall),
    ],
    exhaustion: readExhaustion(status, error),
  };
}

function readFlag(text: string | undefined): boolean | undefined {
  if (text === "true") return true;
  return text === "false" ? false : undefined;
}
