import { RATE_LIMITS, WINDOW_MS } from "../../core/policy/limits.ts";
import type { Ms } from "../../core/units.ts";
import type { Headroom, LimitUsage } from "../../engine/admission/types.ts";

/** A ceiling of which a refusal says how much is left. */
export interface Ceiling {
  /** `concurrency`, or the name of a limit. */
  readonly name: string;
  readonly quota: number;
  readonly left: number;
}

const NONE: readonly string[] = Object.freeze([]);

/** OpenAI's headers, flat: of the limits on requests and on tokens each the one of which the least is left. */
export function openAiRateLimits({ requests, tokens }: Headroom): readonly string[] {
  if (requests === undefined && tokens === undefined) return NONE;
  const headers: string[] = [];
  if (requests !== undefined) pushUsage(headers, "requests", requests);
  if (tokens !== undefined) pushUsage(headers, "tokens", tokens);
  return headers;
}

/**
 * `RateLimit-Policy` and `RateLimit`, flat (draft-ietf-httpapi-ratelimit-headers-10). It knows no unit for tokens, so limits
 * on them are left to OpenAI's headers.
 */
export function ietfRateLimit({ name, quota, left }: Ceiling, resetSeconds: number | undefined): readonly string[] {
  const parameters = policyParameters(name);
  if (parameters === undefined) return NONE;
  const reset = resetSeconds === undefined ? "" : `;t=${resetSeconds}`;
  return ["ratelimit-policy", `"${name}";q=${quota}${parameters}`, "ratelimit", `"${name}";r=${left}${reset}`];
}

function policyParameters(name: string): string | undefined {
  if (name === "concurrency" || name === "concurrent_requests") return ';qu="concurrent-requests"';
  const kind = RATE_LIMITS.find((limit) => limit.name === name);
  return kind?.counted === "requests" ? `;w=${WINDOW_MS[kind.window] / 1_000}` : undefined;
}

function pushUsage(headers: string[], unit: "requests" | "tokens", { limit, left, resetsInMs }: LimitUsage): void {
  headers.push(`x-ratelimit-limit-${unit}`, String(limit));
  headers.push(`x-ratelimit-remaining-${unit}`, String(Math.floor(left)));
  // What blocks never comes back, and 0ms would read as now.
  if (limit > 0) headers.push(`x-ratelimit-reset-${unit}`, goDuration(resetsInMs));
}

/** As OpenAI writes durations, which is as Go does: `120ms`, `1.5s`, `6m0s`, `1h0m0s`. Never less than it is. */
function goDuration(duration: Ms): string {
  if (duration < 1_000) return `${Math.ceil(duration)}ms`;
  if (duration < 60_000) return `${Math.ceil(duration / 100) / 10}s`;
  const seconds = Math.ceil(duration / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${seconds % 60}s`;
  return `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds % 60}s`;
}
