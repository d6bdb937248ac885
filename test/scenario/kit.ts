import { expect } from "vitest";
import type { Environment } from "../../src/config/index.ts";
import { formatProblems } from "../../src/config/index.ts";
import type { ScenarioResult, ScenarioSource } from "../../src/lab/scenario/index.ts";
import { parseScenario } from "../../src/lab/scenario/index.ts";
import type { Scenario } from "../../src/lab/scenario/types.ts";

/** Every kind of section, all of it right. */
export const COMPLETE = `description: A batch beside two teams.
model: [nim-gpt-oss-20b, instant]
speed: 2
window: 30s
slo: { ttft: 500ms, tpot: 50ms, e2e: 10s }
gate:
  deployments:
    gpt-oss-20b:
      max_concurrent: 32
      queue: { max_wait: 30s }
      capacity: { requests_per_minute: 1000, utilization_threshold: 80%, burst: 5s, meter: 10s }
      reservations: { fraud: 30%, support: 20% }
      modes: { batch: queue }
  consumers:
    fraud: { kind: deployment }
    users: { kind: group }
    user: { groups: [users] }
defaults: { prompt: 116, output: 50, body: { temperature: 0 } }
consumers:
  fraud: { key: "\${FRAUD_KEY:-hg_fraud}" }
  support: { retry: sdk, patience: 30s, prompt: { from: 50, to: 300 } }
  user: { count: 3, abort: { fraction: 30%, after: 100ms..2s } }
  batch: { prompt: { median: 2000, spread: 0.5, from: 500, to: 8000 }, output: none }
phases:
  - name: steady
    duration: 3m
    load:
      fraud: 150/m
      support: { rate: 10/s, arrivals: gamma, burstiness: 0.5 }
      user: { rate: 6/m, arrivals: constant, from: 1m }
      batch: { workers: 8, pause: 1s, body: { ignore_eos: true } }
    assert:
      success: 100%
      ttft_p99: <= 500ms
      consumers: { user: { served: [at least 1, "<= 417"] } }
  - name: bursts
    load:
      fraud: { burst: [5, 10, 20], connection: new }
      batch: { workers: [1, 2, 4], requests: 10, prompt: [100, 500], stream: false, api: completions }
    gate: { deployments: { gpt-oss-20b: { reservations: { support: 40% } } } }
    assert: { model_itl: within 10% of steady }
assert: { floor: ">= 99%", concurrent: at most 32, served_per_minute: above 300/m }
`;

/** The least that a scenario is, with these lines in the load of its only phase. */
export function loadWith(...lines: readonly string[]): string {
  return scenarioWith(
    "phases:",
    "  - name: one",
    "    duration: 1m",
    "    load:",
    ...lines.map((line) => `      ${line}`),
  );
}

/** A scenario with these lines in the assertions of its only phase, behind a gate. */
export function assertWith(...lines: readonly string[]): string {
  return phasesWith(
    "- name: one",
    "  duration: 2m",
    "  load: { a: 10/m, b: 10/m }",
    "  assert:",
    ...lines.map((line) => `    ${line}`),
  );
}

/** A scenario with a gate and these lines as its phases. */
export function phasesWith(...lines: readonly string[]): string {
  return `${GATE}${scenarioWith("phases:", ...lines.map((line) => `  ${line}`))}`;
}

/** One deployment with a capacity, and a reservation for each of a and b. */
export const GATE = `gate:
  deployments:
    m: { max_concurrent: 9, capacity: { requests_per_minute: 600 }, reservations: { a: 30%, b: 30% } }
`;

/** A scenario with consumers a and b, and these lines at its top. */
export function scenarioWith(...lines: readonly string[]): string {
  return ["description: A test.", "model: instant", "consumers: { a: {}, b: {} }", ...lines, ""].join("\n");
}

/** A phase for those who look at something else. */
export const ONE_PHASE = "phases: [{ name: one, duration: 1m, load: { a: 10/m, b: 10/m } }]";

export function parse(text: string, env: Environment = {}, traces?: ScenarioSource["traces"]): ScenarioResult {
  return parseScenario({ file: "test.yaml", text, env, ...(traces !== undefined && { traces }) });
}

/** What a person reads about a file, warnings included; empty for one that is in order. */
export function messages(text: string, env: Environment = {}): string {
  return report(parse(text, env));
}

export function report(result: ScenarioResult): string {
  return formatProblems(result.kind === "valid" ? result.warnings : result.problems, { color: false });
}

/** The scenario of a file that must be valid. */
export function scenarioOf(result: ScenarioResult): Scenario {
  if (result.kind === "invalid") expect.fail(report(result));
  return result.scenario;
}
