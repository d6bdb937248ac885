import type { Limits } from "../../core/policy/limits.ts";
import { formatPath } from "../show.ts";
import type { BackendConfig, CapacityConfig, DeploymentConfig, QueueConfig } from "../types.ts";
import { formatCount, formatDuration, formatPercent, formatSize } from "../units.ts";
import { describeCapacity } from "../summary-text.ts";
import type { Fact } from "./fact.ts";

/** Everything that a configuration says about one deployment. */
export function* deploymentFacts(deployment: DeploymentConfig): Generator<Fact> {
  const { name, queue, capacity } = deployment;
  const facts = new Facts(name);
  yield { kind: "thing", path: facts.root, label: `deployment ${name}` };
  yield* settings(deployment, facts);
  for (const backend of deployment.backends) yield* backendFacts(backend, facts);
  if (queue !== undefined) yield* queueFacts(queue, facts);
  if (capacity !== undefined) yield* capacityFacts(capacity, facts);
  yield* policyFacts(deployment, facts);
}

/** Facts of one deployment: each sentence begins with its name. */
class Facts {
  readonly root: string;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    this.root = formatPath(["deployments", name]);
  }

  path(...keys: readonly string[]): string {
    return formatPath(["deployments", this.#name, ...keys]);
  }

  value(keys: readonly string[], value: string, more: { readonly label?: string; readonly note?: string } = {}): Fact {
    const { label = keys.join("."), note } = more;
    // A part of a part goes without saying with it.
    const partOf = keys.length > 1 && (keys[0] === "queue" || keys[0] === "capacity") ? this.path(keys[0]) : this.root;
    return { kind: "value", path: this.path(...keys), label: `${this.#name}: ${label}`, value, note, partOf };
  }

  thing(keys: readonly string[], label: string, detail?: string): Fact {
    return { kind: "thing", path: this.path(...keys), label: `${this.#name}: ${label}`, detail, partOf: this.root };
  }
}

function* settings(deployment: DeploymentConfig, facts: Facts): Generator<Fact> {
  const { timeouts, allowed, tokenizer, maxInflightTokens } = deployment;
  yield facts.value(["models"], deployment.models.join(", "));
  yield facts.value(["max_concurrent"], formatCount(deployment.maxConcurrent));
  if (maxInflightTokens !== Infinity) yield facts.value(["max_inflight_tokens"], formatCount(maxInflightTokens));
  yield facts.value(["timeouts", "connect"], formatDuration(timeouts.connectMs));
  yield facts.value(["timeouts", "first_byte"], formatDuration(timeouts.firstByteMs));
  yield facts.value(["timeouts", "idle"], formatDuration(timeouts.idleMs));
  yield facts.value(["max_unseated"], formatCount(deployment.maxUnseated));
  yield facts.value(["forward_client_credentials"], String(deployment.forwardClientCredentials));
  yield facts.value(["mode"], deployment.mode);
  yield facts.value(["allow"], allowed === undefined ? "everybody" : [...allowed].toSorted().join(", "));
  yield facts.value(["charge"], deployment.charge);
  if (tokenizer !== undefined) yield facts.value(["tokenizer"], tokenizer);
}

function* backendFacts(
  { url, apiKey, maxConcurrent, onClientDisconnect, askForUsage = true }: BackendConfig,
  facts: Facts,
): Generator<Fact> {
  const thing = facts.thing(["backends", url], `backend ${url}`);
  yield thing;
  const part = (key: string, value: string, secret = false): Fact => ({
    kind: "value",
    path: facts.path("backends", url, key),
    label: `${thing.label}: ${key}`,
    value,
    secret,
    partOf: thing.path,
  });
  if (apiKey !== undefined) yield part("api_key", apiKey, true);
  if (maxConcurrent !== undefined) yield part("max_concurrent", formatCount(maxConcurrent));
  yield part("on_client_disconnect", onClientDisconnect);
  yield part("ask_for_usage", String(askForUsage));
}

function* queueFacts({ maxLength, maxWaitMs, maxBytes }: QueueConfig, facts: Facts): Generator<Fact> {
  yield facts.thing(["queue"], "queue", `${formatCount(maxLength)} may wait ${formatDuration(maxWaitMs)}`);
  yield facts.value(["queue", "max_length"], formatCount(maxLength));
  yield facts.value(["queue", "max_wait"], formatDuration(maxWaitMs));
  yield facts.value(["queue", "max_bytes"], formatSize(maxBytes));
}

function* capacityFacts(capacity: CapacityConfig, facts: Facts): Generator<Fact> {
  const { requestsPerMinute, tokensPerMinute } = capacity;
  yield facts.thing(["capacity"], "capacity", describeCapacity(capacity));
  if (requestsPerMinute !== undefined)
    yield facts.value(["capacity", "requests_per_minute"], formatCount(requestsPerMinute));
  if (tokensPerMinute !== undefined) yield facts.value(["capacity", "tokens_per_minute"], formatCount(tokensPerMinute));
  yield facts.value(["capacity", "utilization_threshold"], formatPercent(capacity.utilizationThreshold));
  yield facts.value(["capacity", "burst"], formatDuration(Math.round(capacity.burstSeconds * 1000)));
  yield facts.value(["capacity", "meter"], formatDuration(Math.round(capacity.meterSeconds * 1000)));
}

function* policyFacts({ limits, exceptions, reservations, modes }: DeploymentConfig, facts: Facts): Generator<Fact> {
  yield* limitFacts(limits, (limit, value) =>
    facts.value(["limits", limit], value, { label: limit, note: "default policy" }),
  );
  for (const [name, row] of exceptions) {
    yield* limitFacts(row, (limit, value) =>
      facts.value(["exceptions", name, limit], value, { label: `${limit} of ${name}`, note: "exception" }),
    );
  }
  for (const [name, part] of reservations) {
    yield facts.value(["reservations", name], formatPercent(part), { label: `reservation of ${name}` });
  }
  for (const [name, mode] of modes) yield facts.value(["modes", name], mode, { label: `mode of ${name}` });
}

function* limitFacts({ values, strict }: Limits, fact: (limit: string, value: string) => Fact): Generator<Fact> {
  for (const [limit, value] of Object.entries(values)) yield fact(limit, formatCount(value));
  if (strict !== undefined) yield fact("strict", String(strict));
}
