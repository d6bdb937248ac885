import type { Config, DeploymentConfig } from "../../config/types.ts";
import type { BackendLook } from "../../gateway/index.ts";
import { formatPercent } from "../../config/units.ts";
import { formatBytes, formatDuration, formatShort } from "../format.ts";
import type { Palette } from "../terminal.ts";

/** What a start prints: where it listens, what is behind it, how much gets through, and a line to try. */
export function formatBanner(
  config: Config,
  facts: {
    readonly url: string;
    readonly version: string;
    readonly looks: readonly BackendLook[];
    readonly admin?: string | undefined;
  },
  palette: Palette,
): string {
  const { url, version, looks } = facts;
  const lines = [`${palette.bold(`headgate ${version}`)}  ${palette.bold(url)}`, ""];
  for (const deployment of config.deployments) {
    const mine = looks.filter((look) => look.deployment === deployment.name);
    lines.push(...deploymentLines(deployment, mine, palette), "");
  }
  lines.splice(2, 0, ...consumersLine(config));
  const model = modelOf(config, looks) ?? nameOf(config) ?? "any";
  const needsKey = config.consumers.length > 0;
  lines.push(row("try", tryLine(url, model, needsKey)), row("stats", `curl ${url}/proxy/stats${keyHeader(needsKey)}`));
  if (facts.admin !== undefined) lines.push(row("admin", `curl ${facts.admin}/api/v1/status`));
  lines.push("");
  return `${lines.join("\n")}\n`;
}

/** One command line that talks to the gate. */
export function tryLine(url: string, model: string, needsKey = false): string {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Say hello" }], max_tokens: 50 });
  return `curl ${url}/v1/chat/completions${keyHeader(needsKey)} -H 'content-type: application/json' -d '${body.replaceAll("'", `'\\''`)}'`;
}

function keyHeader(needsKey: boolean): string {
  return needsKey ? " -H 'authorization: Bearer KEY'" : "";
}

function deploymentLines(deployment: DeploymentConfig, looks: readonly BackendLook[], palette: Palette): string[] {
  const { name, models, maxConcurrent, maxInflightTokens, queue, maxUnseated } = deployment;
  const tokens = maxInflightTokens === Infinity ? "" : `, ${formatShort(maxInflightTokens)} tokens in flight at most`;
  const waiting =
    queue === undefined
      ? "none: what finds no free seat is refused"
      : `${queue.maxLength} may wait, ${formatDuration(queue.maxWaitMs)} and ${formatBytes(queue.maxBytes)} at most`;
  return [
    row("deployment", `${name}, for ${models.map((model) => (model === "*" ? "any model" : model)).join(", ")}`),
    ...looks.map(({ url, answers, state }) =>
      row("backend", `${url}  ${answers ? palette.good(state) : palette.warn(state)}`),
    ),
    row("seats", `${maxConcurrent} requests at once${tokens}; ${maxUnseated} more that take none`),
    row("queue", waiting),
    ...capacityLines(deployment),
  ];
}

function capacityLines({ capacity, reservations }: DeploymentConfig): string[] {
  if (capacity === undefined) return [];
  const { requestsPerMinute, tokensPerMinute, utilizationThreshold } = capacity;
  const rates = [
    ...(requestsPerMinute === undefined ? [] : [`${formatShort(requestsPerMinute)} requests`]),
    ...(tokensPerMinute === undefined ? [] : [`${formatShort(tokensPerMinute)} tokens`]),
  ];
  const reserved = [...reservations].map(([name, fraction]) => `${name} ${formatPercent(fraction)}`);
  return [
    row("capacity", `${rates.join(" and ")} per minute, shared out above ${formatPercent(utilizationThreshold)} of it`),
    ...(reserved.length === 0 ? [] : [row("reserved", reserved.join(", "))]),
  ];
}

/** Who may ask. */
function consumersLine({ consumers, anonymous }: Config): string[] {
  const keys = consumers.reduce((sum, consumer) => sum + consumer.keys.length, 0);
  if (consumers.length === 0) return [];
  const others = anonymous === "allow" ? "; others share the pool" : "; nobody else gets in";
  return [row("consumers", `${consumers.length} with ${keys} ${keys === 1 ? "key" : "keys"}${others}`)];
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(11)} ${text}`;
}

/** A model that a backend lists and that the gate serves under that name. */
function modelOf({ deployments }: Config, looks: readonly BackendLook[]): string | undefined {
  const served = (look: BackendLook): boolean => {
    const models = deployments.find(({ name }) => name === look.deployment)?.models ?? [];
    return look.model !== undefined && (models.includes("*") || models.includes(look.model));
  };
  return looks.find(served)?.model;
}

/** A model that the file names. */
function nameOf(config: Config): string | undefined {
  return config.deployments.flatMap(({ models }) => models).find((model) => model !== "*");
}
