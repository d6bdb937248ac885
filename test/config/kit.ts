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
`;

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
