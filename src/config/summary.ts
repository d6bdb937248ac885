import type { LimitName } from "../core/policy/limits.ts";
import { POOL } from "../core/shares/types.ts";
import type { CapacityConfig, Config, ConsumerKind, DeploymentConfig } from "./types.ts";

/** Who gets how much, in short: for people, and as it stands for `--json`. */
export interface Summary {
  readonly consumers: Readonly<Record<ConsumerKind, number>>;
  readonly keys: number;
  readonly anonymous: Config["anonymous"];
  /** Those that have a capacity or limits. */
  readonly deployments: readonly DeploymentSummary[];
}

export interface DeploymentSummary {
  readonly name: string;
  /** `null` where nothing but seats is shared out. */
  readonly capacity: CapacitySummary | null;
  /** In the order of the file, the pool last. Empty without a capacity. */
  readonly shares: readonly ShareSummary[];
  readonly limits: Readonly<Partial<Record<LimitName, number>>>;
  /** Names of those that have one. */
  readonly exceptions: readonly string[];
}

export interface CapacitySummary {
  /** `null` where it is not bounded. */
  readonly requests_per_minute: number | null;
  readonly tokens_per_minute: number | null;
  /** From 0 to 1. */
  readonly utilization_threshold: number;
}

/** A part of the capacity: a reservation, or what the pool is left with. */
export interface ShareSummary {
  readonly name: string;
  /** From 0 to 1. */
  readonly part: number;
  /** What the part comes to; `null` where capacity has no such rate. */
  readonly requests_per_minute: number | null;
  readonly tokens_per_minute: number | null;
}

/** `undefined` where everybody gets what they ask for: without consumers, capacity and limits. */
export function summarize({ consumers, anonymous, deployments }: Config): Summary | undefined {
  const summaries = deployments.map(summarizeDeployment);
  const shared = summaries.filter(
    ({ capacity, limits, exceptions }) => capacity !== null || exceptions.length > 0 || Object.keys(limits).length > 0,
  );
  if (consumers.length === 0 && shared.length === 0) return undefined;
  const count = (kind: ConsumerKind): number => consumers.filter((consumer) => consumer.kind === kind).length;
  return {
    consumers: { user: count("user"), group: count("group"), deployment: count("deployment"), agent: count("agent") },
    keys: consumers.reduce((sum, { keys }) => sum + keys.length, 0),
    anonymous,
    deployments: shared,
  };
}

function summarizeDeployment(deployment: DeploymentConfig): DeploymentSummary {
  const { name, reservations, limits, exceptions } = deployment;
  const capacity = deployment.capacity === undefined ? null : summarizeCapacity(deployment.capacity);
  return {
    name,
    capacity,
    shares: capacity === null ? [] : summarizeShares(reservations, capacity),
    limits: limits.values,
    exceptions: [...exceptions.keys()],
  };
}

/** A capacity as it is shown. */
export function summarizeCapacity({
  requestsPerMinute,
  tokensPerMinute,
  utilizationThreshold,
}: CapacityConfig): CapacitySummary {
  return {
    requests_per_minute: requestsPerMinute ?? null,
    tokens_per_minute: tokensPerMinute ?? null,
    utilization_threshold: utilizationThreshold,
  };
}

function summarizeShares(
  reservations: ReadonlyMap<string, number>,
  capacity: CapacitySummary,
): readonly ShareSummary[] {
  const rest = [...reservations.values()].reduce((rest, part) => rest - Math.round(part * EXACT), EXACT) / EXACT;
  return [...reservations, [POOL, rest] as const].map(([name, part]) => ({
    name,
    part,
    requests_per_minute: floorOf(capacity.requests_per_minute, part),
    tokens_per_minute: floorOf(capacity.tokens_per_minute, part),
  }));
}

/** Millionths of a percent: what the file can say, and exact in sums. */
const EXACT = 1e8;

function floorOf(rate: number | null, part: number): number | null {
  return rate === null ? null : Math.round(rate * part * 100) / 100;
}
