import type { GateSnapshot } from "../engine/gate.ts";
import { type AllotmentStats, allotmentStats } from "./allotment-stats.ts";
import type { Backend } from "./backend/backend.ts";
import type { Deployment } from "./deployment.ts";
import type { Site } from "./site.ts";

/** `GET /proxy/stats`, all of it. Names are snake_case, as in every JSON answer of the gate. */
export interface ProxyStats {
  readonly version: string;
  readonly uptime_seconds: number;
  readonly state: "serving" | "draining";
  /** Sums over all deployments. */
  readonly seats: number;
  readonly in_flight: number;
  readonly waiting: number;
  readonly admitted: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Requests that the gate still holds anything for. */
  readonly open: number;
  readonly buffered_bytes: number;
  readonly deployments: Readonly<Record<string, DeploymentStats>>;
}

export interface DeploymentStats {
  readonly seats: number;
  readonly in_flight: number;
  readonly waiting: number;
  readonly queue_length: number;
  readonly tokens_in_flight: number;
  readonly max_inflight_tokens: number | null;
  readonly admitted: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly left_while_waiting: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly late_settlements: number;
  readonly wait_ms: { readonly p50: number; readonly p95: number; readonly p99: number; readonly samples: number };
  readonly unseated: {
    readonly places: number;
    readonly in_flight: number;
    readonly waiting: number;
    readonly admitted: number;
  };
  /** Null where nobody is limited to less than the seats. */
  readonly allotment: AllotmentStats | null;
  readonly members: readonly MemberStats[];
  readonly backends: readonly BackendStats[];
}

export interface MemberStats {
  readonly name: string;
  readonly in_flight: number;
  readonly waiting: number;
  readonly admitted: number;
  readonly refused: number;
  /** Usual seat time of its requests; null while it has none here. */
  readonly mean_ms: number | null;
  readonly owes_ms: number;
}

export interface BackendStats {
  readonly url: string;
  readonly healthy: boolean;
  readonly in_flight: number;
  readonly requests: number;
  readonly failures: number;
}

export interface StatsContext {
  readonly version: string;
  readonly startedAt: number;
  readonly draining: boolean;
}

/** Reads the numbers off, at the moment they are asked for. */
export function statsOf(site: Site, context: StatsContext): ProxyStats {
  const present = site.router.deployments.map((deployment) => ({ name: deployment.config.name, deployment }));
  const leaving = [...site.leaving].map((deployment) => ({ name: `${deployment.config.name} (leaving)`, deployment }));
  const deployments = [...present, ...leaving].map((row) => ({ ...row, gate: row.deployment.gate.snapshot() }));
  const sum = (pick: (gate: GateSnapshot) => number): number =>
    deployments.reduce((total, { gate }) => total + pick(gate), 0);
  return {
    version: context.version,
    uptime_seconds: round((site.clock.now() - context.startedAt) / 1_000),
    state: context.draining ? "draining" : "serving",
    seats: sum((gate) => gate.seats),
    in_flight: sum((gate) => gate.inFlight),
    waiting: sum((gate) => gate.waiting),
    admitted: sum((gate) => gate.admitted),
    refused: addUp(deployments.map(({ deployment, gate }) => refusedBy(deployment, gate))),
    outcomes: addUp([site.outcomes.toJSON(), ...deployments.map(({ deployment }) => deployment.outcomes.toJSON())]),
    open: site.exchanges.size,
    buffered_bytes: site.bodies.held,
    deployments: Object.fromEntries(
      deployments.map(({ name, deployment, gate }) => [name, deploymentStats(deployment, gate)]),
    ),
  };
}

function deploymentStats(deployment: Deployment, gate: GateSnapshot): DeploymentStats {
  const lane = deployment.lane.snapshot();
  return {
    seats: gate.seats,
    in_flight: gate.inFlight,
    waiting: gate.waiting,
    queue_length: gate.maxWaiting,
    tokens_in_flight: gate.tokensInFlight,
    max_inflight_tokens: Number.isFinite(gate.maxInflightTokens) ? gate.maxInflightTokens : null,
    admitted: gate.admitted,
    refused: refusedBy(deployment, gate),
    left_while_waiting: gate.left,
    outcomes: deployment.outcomes.toJSON(),
    late_settlements: gate.lateSettlements + lane.lateSettlements,
    wait_ms: {
      p50: round(gate.waitMs.p50),
      p95: round(gate.waitMs.p95),
      p99: round(gate.waitMs.p99),
      samples: gate.waitMs.samples,
    },
    unseated: { places: lane.seats, in_flight: lane.inFlight, waiting: lane.waiting, admitted: lane.admitted },
    allotment: deployment.allotment === undefined ? null : allotmentStats(deployment.allotment),
    members: memberStats(gate),
    backends: deployment.fleet.backends.map(backendStats),
  };
}

/** By the limits and shares, and by the gate behind them. */
function refusedBy({ allotment }: Deployment, { refused }: GateSnapshot): Record<string, number> {
  return addUp([refused, allotment?.admission.snapshot().refused ?? {}]);
}

/** Those that are there now first, then those that were. */
function memberStats({ members, tallies }: GateSnapshot): readonly MemberStats[] {
  const present = new Set(members.map(({ name }) => name));
  const past = [...tallies.keys()].filter((name) => !present.has(name));
  const rows = [
    ...members,
    ...past.map((name) => ({ name, running: 0, waiting: 0, estimateMs: undefined, debtMs: 0 })),
  ];
  return rows.map(({ name, running, waiting, estimateMs, debtMs }) => ({
    name,
    in_flight: running,
    waiting,
    admitted: tallies.get(name)?.admitted ?? 0,
    refused: tallies.get(name)?.refused ?? 0,
    mean_ms: estimateMs === undefined ? null : round(estimateMs),
    owes_ms: round(debtMs),
  }));
}

function backendStats({ url, health, inFlight, requests, failures }: Backend): BackendStats {
  return { url, healthy: !health.ejected, in_flight: inFlight, requests, failures };
}

function addUp(counts: readonly Readonly<Partial<Record<string, number>>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const count of counts) {
    for (const [name, value] of Object.entries(count)) sums[name] = (sums[name] ?? 0) + (value ?? 0);
  }
  return sums;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
