import type { UsageCommand } from "../process/answer.ts";
import type { Child } from "../process/child.ts";
import type { LoadCommand, LoadReport } from "../load/plan.ts";
import type { ProxyName, ProxyOptions, Role } from "../proxies/proxy.ts";

/** How much is measured. */
export interface Extent {
  /**
   * Times that the proxies are started anew. Two processes that run the same code differ by a tenth, by how memory and
   * compiled code came to lie; within one the difference stays.
   */
  readonly generations: number;
  /** Times that each process has its turn. */
  readonly rounds: number;
  /** Of one turn. */
  readonly seconds: number;
  /** Before the first round, for each proxy. */
  readonly warmUpSeconds: number;
  /** The same for latency, whose tails take longer to see. */
  readonly latency: { readonly rounds: number; readonly seconds: number };
  readonly idleStreams: number;
  /** In one turn of the decision. */
  readonly decisions: number;
}

/** What all measurements share. */
export interface Bench {
  readonly extent: Extent;
  readonly proxies: readonly ProxyName[];
  readonly backend: Child<object, number>;
  readonly load: Child<LoadCommand, LoadReport>;
  /** Where the profiles of the processes in Node go, if anywhere. */
  readonly profile: string | undefined;
}

/** Garbage first, where memory is what counts. */
export const COLLECT: UsageCommand = { collect: true };

export function optionsFor({ backend, profile }: Bench, role: Role): (name: ProxyName) => ProxyOptions {
  return (name) => ({
    role,
    backendPort: backend.port,
    flags: [
      ...(role === "hold" ? ["--expose-gc"] : []),
      ...(profile === undefined
        ? []
        : ["--cpu-prof", `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${name}.cpuprofile`]),
    ],
  });
}
