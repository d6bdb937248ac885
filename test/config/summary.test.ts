import { expect, test } from "vitest";
import { formatSummary, summarize } from "../../src/config/index.ts";
import { COMPLETE, configOf, CONSUMERS, deploymentWith, parse, policyWith } from "./kit.ts";

function summaryOf(text: string): string | undefined {
  const summary = summarize(configOf(parse(text)));
  return summary && formatSummary(summary);
}

test("nothing is shared out, and there is nothing to say", () => {
  expect(summaryOf(deploymentWith())).toBeUndefined();
});

test("consumers, capacity, shares and limits fit on a page", () => {
  expect(summaryOf(COMPLETE)).toMatchInlineSnapshot(`
    "3 consumers (1 user, 1 group, 1 deployment) with 2 keys; others are refused

    qwen3: 1k requests per minute and 200k tokens per minute, threshold 75%
      share            part  requests/min    tokens/min
      fraud             30%           300        60,000
      science           20%           200        40,000
      pool              50%           500       100,000
      limits      requests_per_minute 300, tokens_per_hour 2M, concurrent_requests 10, input_tokens 8k
      exceptions  intern"
  `);
});

test("limits alone need no table", () => {
  expect(summaryOf(deploymentWith("limits: { requests_per_minute: 20 }"))).toMatchInlineSnapshot(`
    "no consumers: the gate is open, and each remote address is a member of the pool

    a: no capacity
      limits      requests_per_minute 20"
  `);
});

test("the pool has what no reservation takes", () => {
  const text = policyWith("capacity: { requests_per_minute: 1000 }", "reservations: { alice: 33.3%, bob: 46.6% }");
  const pool = summarize(configOf(parse(text)))?.deployments[0]?.shares.at(-1);
  expect(pool).toEqual({ name: "pool", part: 0.201, requests_per_minute: 201, tokens_per_minute: null });
});

test("requests without a key share the pool where they are allowed", () => {
  expect(summaryOf("anonymous: allow\n" + CONSUMERS + deploymentWith())).toContain("others share the pool");
});
