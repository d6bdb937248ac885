import { isRecord } from "../../core/json.ts";
import type { Exhaustion } from "../limiter/types.ts";

/** The words by which servers say that only a person can help, wherever in the error they stand. */
const CODES: Readonly<Record<string, Exhaustion>> = {
  insufficient_quota: "quota",
  quota_exceeded: "quota",
  billing_hard_limit_reached: "billing",
  billing_not_active: "billing",
  billing_error: "billing",
  insufficient_credits: "billing",
  enforced_spend_limit_reached: "spend_limit",
  spend_limit_reached: "spend_limit",
};

/** Anthropic answers 400 with no code of its own for this one. */
const NO_CREDIT = /credit balance is too low/i;

/** Whether an answer says that no retry will help. A refusal by rate has `undefined`. */
export function readExhaustion(status: number, error: unknown): Exhaustion | undefined {
  if (status < 400) return undefined;
  const words = wordsOf(error);
  for (const word of words) {
    const found = Object.hasOwn(CODES, word) ? CODES[word] : undefined;
    if (found !== undefined) return found;
  }
  if (status === 402 || (status === 400 && words.some((word) => NO_CREDIT.test(word)))) return "billing";
  if (status === 401) return "unauthorized";
  return status === 403 ? "forbidden" : undefined;
}

/** `code`, `type`, `message` and `error_code` of the error, of what it wraps, and of its details. */
function wordsOf(error: unknown, depth = 0): readonly string[] {
  if (!isRecord(error) || depth > 2) return [];
  const own = ["code", "type", "message", "error_code"].map((name) => error[name]);
  const strings = own.filter((value) => typeof value === "string");
  return [...strings, ...wordsOf(error["error"], depth + 1), ...wordsOf(error["details"], depth + 1)];
}
