import type { Counted } from "../../core/policy/limits.ts";
import type { Ms } from "../../core/units.ts";
import type { Account } from "./account.ts";
import type { AdmissionOutcome, RefusedRule } from "./types.ts";
import { amountOf, type Use } from "./use.ts";

type LimitOutcome = Extract<AdmissionOutcome, "concurrency_limited" | "rate_limited" | "token_limited">;

const OUTCOMES: Readonly<Record<Counted, LimitOutcome>> = {
  requests: "rate_limited",
  tokens: "token_limited",
  input_tokens: "token_limited",
  output_tokens: "token_limited",
};

/** The limit to name of those that have no room for a request: running requests, else the one that has room the latest. */
export function refusingLimit(
  account: Account,
  use: Use,
  { most, now }: { most: number; now: Ms },
): { outcome: LimitOutcome; rule: RefusedRule } {
  const { concurrentRequests } = account.policy;
  if (concurrentRequests !== undefined && account.isCrowded) {
    const { name, value } = concurrentRequests;
    const rule = { kind: "limit" as const, name, value, atOnce: value, used: account.open, requested: 1 };
    return { outcome: "concurrency_limited", rule };
  }
  const index = account.lastToHaveRoom(use, most, now);
  const [limit, rate] = [account.policy.rates[index], account.rates[index]];
  if (limit === undefined || rate === undefined) throw new Error("a limit refused a request, and now none does");
  const { name, value } = limit;
  const requested = amountOf(limit, use);
  return {
    outcome: OUTCOMES[limit.counted],
    rule: { kind: "limit", name, value, atOnce: rate.burst, used: rate.used(now), requested },
  };
}
