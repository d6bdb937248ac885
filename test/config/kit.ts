import { expect } from "vitest";
import type { Config, ConfigResult, Environment } from "../../src/config/index.ts";
import { formatProblems, parseConfig } from "../../src/config/index.ts";

/** Every key of the file, all of them right. */
export const COMPLETE = `server:
  host: 127.0.0.1
  port: 8080
  max_body_size: 32MB
  drain_timeout: 10m
deployments:
  qwen3:
    models: [qwen3-235b-thinking, "*"]
    backends:
      - url: http://127.0.0.1:8081
        api_key: "\${NIM_API_KEY:-}"
        max_concurrent: 5
        on_client_disconnect: abort
      - http://127.0.0.1:8082
    max_concurrent: 5
    max_inflight_tokens: 160k
    queue: { max_length: 200, max_wait: 5m, max_bytes: 256MB }
    timeouts: { connect: 5s, first_byte: 10m, idle: 10m }
    max_unseated: 16
    forward_client_credentials: false
    limits: { requests_per_minute: 300, tokens_per_hour: 2M, concurrent_requests: 10, input_tokens: 8000 }
    exceptions:
      intern: { requests_per_minute: 200, strict: true }
    capacity: { requests_per_minute: 1000, tokens_per_minute: 200k, utilization_threshold: 75%, burst: 5s, meter: 60s }
    reservations: { fraud: 30%, science: 20% }
    mode: reject
    modes: { intern: queue }
    allow: [fraud, science]
    charge: on_completion
    tokenizer: o200k
admin: { host: 127.0.0.1, port: 9090, token: "\${ADMIN_TOKEN:-}" }
consumers:
  fraud: { kind: deployment, keys: ["sha256:1111111111111111111111111111111111111111111111111111111111111111"], enabled: true }
  science: { kind: group }
  intern:
    kind: user
    groups: [science]
    keys:
      - sha256: "2222222222222222222222222222222222222222222222222222222222222222"
        expires: 2027-01-31
anonymous: refuse
identity: { header: X-Consumer, trusted_proxies: [10.0.0.0/8, "fd00::/8"] }
jwt: { issuer: "https://login.example.org", audience: headgate, jwks: "https://login.example.org/keys", claim: email }
`;

/** The digest of a key, of one digit only. */
export function digest(digit: string): string {
  return `sha256:${digit.repeat(64)}`;
}

/** Two users, one of them in a group. */
export const CONSUMERS = `consumers:
  alice: { keys: ["${digest("a")}"] }
  bob: { groups: [team], keys: ["${digest("b")}"] }
  team: { kind: group }
`;

/** A file with these consumers, and one deployment. */
export function consumersWith(...lines: readonly string[]): string {
  return ["consumers:", ...lines.map((line) => `  ${line}`), deploymentWith()].join("\n");
}

/** A file with one deployment that has these lines, and the consumers alice, bob and team. */
export function policyWith(...lines: readonly string[]): string {
  return deploymentWith(...lines) + CONSUMERS;
}

/** A file with one deployment that has a backend and these lines. */
export function deploymentWith(...lines: readonly string[]): string {
  return [
    "deployments:",
    "  a:",
    "    backends: [http://127.0.0.1:8081]",
    ...lines.map((line) => `    ${line}`),
    "",
  ].join("\n");
}

/** A file with these lines under `server`. */
export function serverWith(...lines: readonly string[]): string {
  return ["server:", ...lines.map((line) => `  ${line}`), deploymentWith()].join("\n");
}

/** A file with one deployment that has these backends. */
export function backends(...items: readonly string[]): string {
  return ["deployments:", "  a:", "    backends:", ...items.map((item) => `      - ${item}`), ""].join("\n");
}

/** A file with two deployments, each with a line of its own. */
export function two(first: string, second: string): string {
  const lines = (name: string, line: string, port: number): readonly string[] => [
    `  ${name}:`,
    `    backends: [http://127.0.0.1:${port}]`,
    ...(line === "" ? [] : [`    ${line}`]),
  ];
  return ["deployments:", ...lines("a", first, 8081), ...lines("b", second, 8082), ""].join("\n");
}

export function parse(text: string, env: Environment = {}): ConfigResult {
  return parseConfig({ file: "headgate.yaml", text, env });
}

/** What a person reads about a file, warnings included; empty for one that is in order. */
export function messages(text: string, env: Environment = {}): string {
  return report(parse(text, env));
}

export function report(result: ConfigResult): string {
  return formatProblems(result.kind === "valid" ? result.warnings : result.problems, { color: false });
}

/** The configuration of a file that must be valid. */
export function configOf(result: ConfigResult): Config {
  if (result.kind === "invalid") expect.fail(report(result));
  return result.config;
}
