import { readNumber } from "./durations.ts";
import { readStructuredList, type StructuredItem } from "./structured-list.ts";
import type { Dimension, Headers } from "./types.ts";

/**
 * `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers: a list of policies since draft 8, a
 * dictionary in draft 7, three fields of their own before. Malformed fields are ignored, as the draft asks.
 */
export function readIetfLimits(headers: Headers): readonly Dimension[] {
  const policies = readStructuredList(headers["ratelimit-policy"] ?? "") ?? [];
  const states = readStructuredList(headers["ratelimit"] ?? "");
  if (states === undefined) return readSeparateFields(headers, policies);
  if (states.some(({ parameters }) => parameters.has(""))) return readDictionary(states, policies);
  return states.flatMap(({ value, parameters }): Dimension[] => {
    const remaining = readNumber(parameters.get("r"));
    const policy = policies.find((policy) => policy.value === value)?.parameters;
    const unit = unitOf(policy?.get("qu"));
    if (remaining === undefined || unit === undefined) return [];
    const limit = readNumber(policy?.get("q"));
    const [resetMs, windowMs] = [seconds(parameters.get("t")), seconds(policy?.get("w"))];
    return [{ id: `ratelimit ${value}`, unit, limit, remaining, resetMs, refill: "at_reset", windowMs }];
  });
}

/** Draft 7: `limit=100, remaining=50, reset=30`. */
function readDictionary(states: readonly StructuredItem[], policies: readonly StructuredItem[]): readonly Dimension[] {
  const member = (name: string): string | undefined => states.find(({ value }) => value === name)?.parameters.get("");
  return single(member("limit"), member("remaining"), { reset: member("reset"), policies });
}

/** Up to draft 6. */
function readSeparateFields(headers: Headers, policies: readonly StructuredItem[]): readonly Dimension[] {
  const limit = headers["ratelimit-limit"]?.split(",", 1)[0];
  return single(limit, headers["ratelimit-remaining"], { reset: headers["ratelimit-reset"], policies });
}

function single(
  limitText: string | undefined,
  remainingText: string | undefined,
  { reset, policies }: { readonly reset: string | undefined; readonly policies: readonly StructuredItem[] },
): readonly Dimension[] {
  const [limit, remaining] = [readNumber(limitText), readNumber(remainingText)];
  if (remaining === undefined) return [];
  // A policy of these drafts is named by its quota: `100;w=60`.
  const policy = policies.find(({ value }) => readNumber(value) === limit);
  const windowMs = seconds(policy?.parameters.get("w"));
  const resetMs = seconds(reset);
  return [{ id: "ratelimit", unit: "requests", limit, remaining, resetMs, refill: "at_reset", windowMs }];
}

function seconds(text: string | undefined): number | undefined {
  const value = readNumber(text);
  return value === undefined ? undefined : value * 1_000;
}

function unitOf(quotaUnit: string | undefined): Dimension["unit"] | undefined {
  if (quotaUnit === undefined || quotaUnit === "requests") return "requests";
  return quotaUnit === "tokens" ? "tokens" : undefined;
}
