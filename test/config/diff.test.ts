import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Config } from "../../src/config/index.ts";
import { diffConfigs } from "../../src/config/index.ts";
import { COMPLETE, configOf, deploymentWith, parse, policyWith } from "./kit.ts";

const ENV = { NIM_API_KEY: "first-key-of-the-backend", ADMIN_TOKEN: "first-token-of-operators" };
const CAPACITY = "capacity: { requests_per_minute: 1000 }";

function config(text: string, env: Readonly<Record<string, string>> = ENV): Config {
  return configOf(parse(text, env));
}

function changes(before: string, after: string): readonly string[] {
  return diffConfigs(config(before), config(after)).map(({ text }) => text);
}

test("a configuration does not differ from itself", () => {
  expect(changes(COMPLETE, COMPLETE)).toEqual([]);
});

test("what is written in another way is no change", () => {
  const other = COMPLETE.replace("max_wait: 5m", "max_wait: 300s")
    .replace("200k", "200000")
    .replace("[fraud, science]", "[science, fraud]")
    .replace("    timeouts: { connect: 5s, first_byte: 10m, idle: 10m }\n", "");
  expect(changes(COMPLETE, other)).toEqual([]);
});

test("a change of each value is one sentence", () => {
  const after = COMPLETE.replace("port: 8080", "port: 8088")
    .replace("max_body_size: 32MB", "max_body_size: 16MB")
    .replace("max_wait: 5m", "max_wait: 1m")
    .replace("on_client_disconnect: abort", "on_client_disconnect: drain")
    .replace("max_inflight_tokens: 160k\n", "max_unseated: 4\n")
    .replace("max_unseated: 16\n    forward", "forward")
    .replace("requests_per_minute: 300", "requests_per_minute: 400")
    .replace(" input_tokens: 8000", " tokens_per_day: 9M")
    .replace("requests_per_minute: 200, strict: true", "requests_per_minute: 250")
    .replace("utilization_threshold: 75%", "utilization_threshold: 80%")
    .replace("fraud: 30%", "fraud: 32.5%")
    .replace("intern: queue", "intern: reject")
    .replace("[fraud, science]", "[fraud]")
    .replace("tokenizer: o200k", "tokenizer: backend")
    .replace("port: 9090", "port: 9091")
    .replace("kind: deployment", "kind: agent")
    .replace("enabled: true", "enabled: false")
    .replace("2027-01-31", "2027-02-28")
    .replace("anonymous: refuse", "anonymous: allow")
    .replace("10.0.0.0/8", "10.1.0.0/16")
    .replace("claim: email", "claim: sub");
  expect(changes(COMPLETE, after)).toMatchInlineSnapshot(`
    [
      "server.port 8080 → 8088",
      "server.max_body_size 32MB → 16MB",
      "admin.port 9090 → 9091",
      "qwen3: max_inflight_tokens 160k → none",
      "qwen3: max_unseated 16 → 4",
      "qwen3: allow fraud, science → fraud",
      "qwen3: tokenizer o200k → backend",
      "qwen3: backend http://127.0.0.1:8081/: on_client_disconnect abort → drain",
      "qwen3: queue.max_wait 5m → 1m",
      "qwen3: capacity.utilization_threshold 75% → 80%",
      "qwen3: requests_per_minute 300 → 400 (default policy)",
      "qwen3: tokens_per_day none → 9M (default policy)",
      "qwen3: input_tokens 8k → none (default policy)",
      "qwen3: requests_per_minute of intern 200 → 250 (exception)",
      "qwen3: strict of intern true → none (exception)",
      "qwen3: reservation of fraud 30% → 32.5%",
      "qwen3: mode of intern queue → reject",
      "consumer fraud: kind deployment → agent",
      "consumer fraud: enabled true → false",
      "consumer intern: key sha256:22222222… expires 2027-01-31 → 2027-02-28",
      "who may ask: consumers only → consumers, and everybody else in the pool",
      "identity.trusted_proxies 10.0.0.0/8, fd00::/8 → 10.1.0.0/16, fd00::/8",
      "jwt.claim email → sub",
    ]
  `);
});

test("what is new or gone as a whole is one sentence", () => {
  const two = `deployments:
  a: { backends: [http://h:1], models: [a], max_concurrent: 9 }
  b: { backends: [http://h:2], models: [b], capacity: { requests_per_minute: 60 } }
`;
  expect(changes(COMPLETE, two)).toMatchInlineSnapshot(`
    [
      "admin is gone",
      "deployment qwen3 is gone",
      "consumer fraud is gone",
      "group science is gone",
      "consumer intern is gone",
      "deployment a is new",
      "deployment b is new",
      "who may ask: consumers only → everybody",
      "identity is gone",
      "jwt is gone",
    ]
  `);
  expect(changes(two, COMPLETE)).toMatchInlineSnapshot(`
    [
      "deployment a is gone",
      "deployment b is gone",
      "admin is new: 127.0.0.1, port 9090",
      "deployment qwen3 is new",
      "consumer fraud is new",
      "group science is new",
      "consumer intern is new",
      "who may ask: everybody → consumers only",
      "identity is new: x-consumer, from 10.0.0.0/8, fd00::/8",
      "jwt is new: tokens of https://login.example.org",
    ]
  `);
});

test("parts of a deployment are new and gone, too", () => {
  const after = policyWith(
    CAPACITY,
    "queue: {}",
    "exceptions: { bob: { tokens_per_hour: 2M } }",
    "reservations: { team: 40% }",
  ).replace("[http://127.0.0.1:8081]", "[http://127.0.0.1:8082]");
  expect(changes(policyWith(), after)).toMatchInlineSnapshot(`
    [
      "a: backend http://127.0.0.1:8081/ is gone",
      "a: backend http://127.0.0.1:8082/ is new",
      "a: queue is new: 64 may wait 5m",
      "a: capacity is new: 1k requests per minute, threshold 80%",
      "a: tokens_per_hour of bob none → 2M (exception)",
      "a: reservation of team none → 40%",
    ]
  `);
  expect(changes(after, policyWith())).toMatchInlineSnapshot(`
    [
      "a: backend http://127.0.0.1:8082/ is gone",
      "a: queue is gone",
      "a: capacity is gone",
      "a: tokens_per_hour of bob 2M → none (exception)",
      "a: reservation of team 40% → none",
      "a: backend http://127.0.0.1:8081/ is new",
    ]
  `);
});

test("the path is the key in the file, and what a restart needs says so", () => {
  const [port, ...rest] = diffConfigs(
    config(policyWith("limits: { requests_per_minute: 1 }")),
    config("server: { port: 81 }\n" + policyWith("limits: { requests_per_minute: 2 }")),
  );
  expect(port).toEqual({ path: "server.port", text: "server.port 8080 → 81", needsRestart: true });
  expect(rest).toEqual([
    {
      path: "deployments.a.limits.requests_per_minute",
      text: "a: requests_per_minute 1 → 2 (default policy)",
      needsRestart: false,
    },
  ]);
});

test("secrets are compared and never shown", () => {
  const env = { NIM_API_KEY: "other-key-of-the-backend", ADMIN_TOKEN: "other-token-of-operators" };
  const compare = (before: Config, after: Config): readonly string[] =>
    diffConfigs(before, after).map(({ text }) => text);
  expect(compare(config(COMPLETE), config(COMPLETE, env))).toEqual([
    "admin.token has changed",
    "qwen3: backend http://127.0.0.1:8081/: api_key has changed",
  ]);
  expect(compare(config(COMPLETE), config(COMPLETE, {}))).toEqual([
    "admin.token is gone",
    "qwen3: backend http://127.0.0.1:8081/: api_key is gone",
  ]);
  expect(compare(config(COMPLETE, {}), config(COMPLETE))).toEqual([
    "admin.token is new",
    "qwen3: backend http://127.0.0.1:8081/: api_key is new",
  ]);
  const all = JSON.stringify([
    ...diffConfigs(config(COMPLETE), config(deploymentWith())),
    ...diffConfigs(config(deploymentWith()), config(COMPLETE)),
  ]);
  expect(all).not.toContain("first-");
});

test("the same things change on the way back", () => {
  const limit = fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined });
  const file = fc.record({ own: limit, bob: limit, seats: fc.integer({ min: 1, max: 9 }), queue: fc.boolean() });
  const write = ({ own, bob, seats, queue }: typeof file extends fc.Arbitrary<infer F> ? F : never): string =>
    policyWith(
      `max_concurrent: ${seats}`,
      ...(own === undefined ? [] : [`limits: { requests_per_hour: ${own} }`]),
      ...(bob === undefined ? [] : [`exceptions: { bob: { requests_per_hour: ${bob} } }`]),
      ...(queue ? ["queue: { max_length: 64 }"] : []),
    );
  fc.assert(
    fc.property(file, file, (one, other) => {
      const paths = (a: string, b: string): readonly string[] =>
        diffConfigs(config(a), config(b))
          .map(({ path }) => path)
          .toSorted();
      expect(paths(write(one), write(other))).toEqual(paths(write(other), write(one)));
      expect(paths(write(one), write(other)).length === 0).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
  );
});
