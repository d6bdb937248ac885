import { describe, expect, test } from "vitest";
import { POOL } from "../shares/types.ts";
import type { LimitName, Limits } from "./limits.ts";
import { effectivePolicy, Policies } from "./policies.ts";
import type { EffectivePolicy, PolicyHolder, PolicySource } from "./types.ts";

function limits(values: Partial<Record<LimitName, number>>, strict?: boolean): Limits {
  return { values, strict };
}

const SOURCE: PolicySource = {
  limits: limits({
    requests_per_minute: 300,
    tokens_per_hour: 2_000_000,
    concurrent_requests: 10,
    input_tokens: 8_000,
  }),
  exceptions: new Map([
    ["intern", limits({ requests_per_minute: 20 })],
    ["data", limits({ requests_per_minute: 100, tokens_per_hour: 500_000, output_tokens_per_day: 9 }, true)],
    ["night", limits({ tokens_per_hour: 1, input_tokens: 100, concurrent_requests: 0 }, false)],
  ]),
  reservations: new Map([
    ["agent", 0.3],
    ["night", 0.2],
    ["data", 0.1],
  ]),
  mode: "reject",
  modes: new Map([
    ["night", "queue"],
    ["agent", "queue"],
  ]),
};

function policyOf(name: string, ...groups: readonly string[]): EffectivePolicy {
  return effectivePolicy(SOURCE, { name, groups });
}

/** Value and origin of each limit, by its name. */
function table({ inputTokens, concurrentRequests, rates }: EffectivePolicy): Record<string, string> {
  const rows = [inputTokens, concurrentRequests, ...rates].filter((row) => row !== undefined);
  return Object.fromEntries(
    rows.map(({ name, value, source }) => [
      name,
      `${value} ${source.kind === "default" ? "default" : `${source.of} ${source.name}`}`,
    ]),
  );
}

describe("each limit comes", () => {
  test("from the default policy where nothing else names it", () => {
    expect(table(policyOf("anybody"))).toEqual({
      input_tokens: "8000 default",
      concurrent_requests: "10 default",
      requests_per_minute: "300 default",
      tokens_per_hour: "2000000 default",
    });
  });

  test("from the consumer's exception before that of its groups, each by itself", () => {
    expect(table(policyOf("intern", "data", "night"))).toEqual({
      input_tokens: "100 group night",
      concurrent_requests: "0 group night",
      requests_per_minute: "20 consumer intern",
      tokens_per_hour: "500000 group data",
      output_tokens_per_day: "9 group data",
    });
  });

  test("from the first group that has a value, in the order of the consumer's groups", () => {
    expect(table(policyOf("x", "night", "data"))["tokens_per_hour"]).toBe("1 group night");
    expect(table(policyOf("x", "data", "night"))["tokens_per_hour"]).toBe("500000 group data");
  });
});

test("rates stand in the order in which a refusal names them, with their windows", () => {
  expect(policyOf("x", "data").rates.map(({ name, counted, windowMs }) => [name, counted, windowMs])).toEqual([
    ["requests_per_minute", "requests", 60_000],
    ["tokens_per_hour", "tokens", 3_600_000],
    ["output_tokens_per_day", "output_tokens", 86_400_000],
  ]);
});

test("strict is what the most specific row says", () => {
  expect(policyOf("x").strict).toBe(false);
  expect(policyOf("intern").strict).toBe(false);
  expect(policyOf("intern", "data").strict).toBe(true);
  expect(policyOf("x", "night", "data").strict).toBe(false);
});

test.each([
  { holder: { name: "agent", groups: ["night"] }, share: "agent", mode: "queue" },
  { holder: { name: "x", groups: ["unreserved", "data", "night"] }, share: "data", mode: "queue" },
  { holder: { name: "x", groups: ["data"] }, share: "data", mode: "reject" },
  { holder: { name: "x", groups: [] }, share: POOL, mode: "reject" },
])("$holder.name of $holder.groups draws on $share and its mode is $mode", ({ holder, share, mode }) => {
  expect(effectivePolicy(SOURCE, holder)).toMatchObject({ share, mode });
});

describe("the policies of a deployment", () => {
  test("are worked out once for each consumer", () => {
    const policies = new Policies(SOURCE);
    const intern: PolicyHolder = { name: "intern", groups: ["data"] };
    expect(policies.of(intern)).toEqual(effectivePolicy(SOURCE, intern));
    expect(policies.of(intern)).toBe(policies.of({ ...intern }));
  });

  test("are one object for all that no row names", () => {
    const policies = new Policies(SOURCE);
    expect(policies.of({ name: "10.0.0.1", groups: [] })).toBe(policies.of({ name: "bob", groups: ["unnamed"] }));
    expect(policies.of({ name: "bob", groups: ["unnamed"] })).toEqual(policyOf("bob"));
  });
});
