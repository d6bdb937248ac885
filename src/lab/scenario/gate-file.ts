import type { Config } from "../../config/types.ts";
import { isMapping, judge } from "../../config/tools.ts";
import { toMapping, withBackends } from "./gate-tree.ts";
import type { GateSection } from "./types.ts";

/** Where a gate of the lab's own listens, on 127.0.0.1. 0 takes any free port. */
interface GatePlaces {
  /** Base URLs, at least one; each deployment has all of them. */
  readonly backends: readonly string[];
  readonly port: number;
  /** Left out, there is no listener for operators. */
  readonly adminPort?: number;
}

/** The text of a file that `headgate serve --config` takes. */
export function gateFile(section: GateSection, { backends, port, adminPort }: GatePlaces): string {
  const tree = {
    server: { host: "127.0.0.1", port },
    ...(adminPort !== undefined && { admin: { host: "127.0.0.1", port: adminPort } }),
    ...treeFor(section, backends),
  };
  // JSON is YAML. A dollar sign that was filled in must not be taken for a reference again.
  return `${JSON.stringify(escapeDollars(tree), undefined, 2)}\n`;
}

/** The configuration with these backends in the place of the placeholder. Throws RangeError for what is no backend's URL. */
export function configFor(section: GateSection, backends: readonly string[]): Config {
  const { config, findings } = judge(treeFor(section, backends));
  const mistake = findings.find(({ severity }) => severity === "error");
  if (config !== undefined && mistake === undefined) return config;
  throw new RangeError(`${JSON.stringify(backends)} as backends: ${mistake?.rule ?? "refused"}`);
}

function treeFor({ tree }: GateSection, backends: readonly string[]): Readonly<Record<string, unknown>> {
  return { ...tree, deployments: withBackends(tree["deployments"], backends) };
}

function escapeDollars(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("$", "$$$$");
  if (Array.isArray(value)) return value.map(escapeDollars);
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(toMapping(value)).map(([key, inner]) => [key, escapeDollars(inner)]));
}
