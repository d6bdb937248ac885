import type { Counted } from "../../core/policy/limits.ts";
import type { EffectivePolicy } from "../../core/policy/types.ts";
import type { Tokens } from "../../core/units.ts";
import type { AdmissionOutcome, Claim, RefusedRule } from "./types.ts";

/** What a request uses, or by how much that changes. */
export interface Use {
  readonly requests: number;
  readonly input: Tokens;
  readonly output: Tokens;
}

/** How much of a use a limit counts; nothing where there is none. */
export function amountOf(limit: { readonly counted: Counted } | undefined, use: Use): number {
  if (limit === undefined) return 0;
  switch (limit.counted) {
    case "requests":
      return use.requests;
    case "tokens":
      return use.input + use.output;
    case "input_tokens":
      return use.input;
    case "output_tokens":
      return use.output;
  }
}

/**
 * What a claim asks for. Where a strict limit is smaller than input and expected output together, the output is taken
 * to be what the limit leaves for it: a guess must not make a limit unusable.
 */
export function useOf({ input, output }: Claim, policy: EffectivePolicy): Use {
  let expected = output;
  if (policy.strict) {
    for (const { counted, value } of policy.rates) {
      if (value === 0) continue;
      if (counted === "tokens") expected = Math.min(expected, value - input);
      if (counted === "output_tokens") expected = Math.min(expected, value);
    }
  }
  return { requests: 1, input, output: Math.max(0, expected) };
}

/** A rule that no waiting satisfies. */
export interface Never {
  readonly outcome: Extract<AdmissionOutcome, "input_too_long" | "invalid_request">;
  readonly rule: RefusedRule;
}

/**
 * Why a request can never be admitted: its input is longer than the limit on one input, or than all the tokens that a
 * limit allows in its window. (A limit of 0 is not too small for the request; it blocks.)
 */
export function neverAdmitted(policy: EffectivePolicy, input: Tokens): Never | undefined {
  const { inputTokens, rates } = policy;
  if (inputTokens !== undefined && input > inputTokens.value) {
    const { name, value } = inputTokens;
    return {
      outcome: "input_too_long",
      rule: { kind: "limit", name, value, atOnce: value, used: 0, requested: input },
    };
  }
  for (const { name, counted, value } of rates) {
    if ((counted !== "tokens" && counted !== "input_tokens") || input <= value || value === 0) continue;
    return {
      outcome: "invalid_request",
      rule: { kind: "limit", name, value, atOnce: value, used: 0, requested: input },
    };
  }
  return undefined;
}
