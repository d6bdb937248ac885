import type { Config, DeploymentConfig } from "../../config/types.ts";
import type { BackendLook } from "../../gateway/index.ts";
import { formatBytes, formatDuration, formatShort } from "../format.ts";
import type { Palette } from "../terminal.ts";

/** What a start prints: where it listens, what is behind it, how much gets through, and a line to try. */
export function formatBanner(
  config: Config,
  facts: { readonly url: string; readonly version: string; readonly looks: readonly BackendLook[] },
  palette: Palette,
): string {
  const { url, version, looks } = facts;
  const lines = [`${palette.bold(`headgate ${version}`)}  ${palette.bold(url)}`, ""];
  for (const deployment of config.deployments) {
    const mine = looks.filter((look) => look.deployment === deployment.name);
    lines.push(...deploymentLines(deployment, mine, palette), "");
  }
  const model = looks.find((look) => look.model !== undefined)?.model ?? nameOf(config) ?? "any";
  lines.push(row("try", tryLine(url, model)), row("stats", `curl ${url}/proxy/stats`), "");
  return `${lines.join("\n")}\n`;
}

/** One command line that talks to the gate. */
export function tryLine(url: string, model: string): string {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Say hello" }], max_tokens: 50 });
  return `curl ${url}/v1/chat/completions -H 'content-type: application/json' -d '${body.replaceAll("'", `'\\''`)}'`;
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
  ];
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(11)} ${text}`;
}

function nameOf(config: Config): string | undefined {
  return config.deployments.flatMap(({ models }) => models).find((model) => model !== "*");
}
