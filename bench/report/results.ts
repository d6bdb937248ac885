import type { CpuCost } from "../measures/cpu.ts";
import type { DecisionCost } from "../measures/decision.ts";
import type { Latency } from "../measures/latency.ts";
import type { Memory } from "../measures/memory.ts";
import type { Summary } from "../measures/statistics.ts";
import { PROXIES, type ProxyName } from "../proxies/proxy.ts";
import type { Machine } from "./machine.ts";

/** What was measured. Only a run of everything has all of it. */
export interface Measured {
  readonly decision: readonly DecisionCost[] | undefined;
  readonly cpu: ReadonlyMap<string, readonly CpuCost[]>;
  readonly latency: readonly Latency[] | undefined;
  readonly memory: Memory | undefined;
}

export interface RunFacts {
  readonly machine: Machine;
  readonly date: string;
  readonly node: string;
  readonly commit: string;
  readonly generations: number;
  readonly rounds: number;
}

/** `bench/results/latest.json`. Ratios are a gate's cost over that of the bare proxy; costs are microseconds. */
export function toResults(facts: RunFacts, { decision, cpu, latency, memory }: Measured): object {
  return {
    ...facts,
    decision_us: decision === undefined ? null : toDecision(decision),
    ratios: ratiosOf("headgate", cpu),
    ratio_spread: spreadsOf("headgate", cpu),
    allotted_ratios: ratiosOf("allotted", cpu),
    allotted_ratio_spread: spreadsOf("allotted", cpu),
    ...Object.fromEntries(
      PROXIES.map((proxy) => [proxy, costsOf(proxy, cpu)] as const).filter(([, costs]) => costs !== null),
    ),
    latency_ms: latency === undefined ? null : toLatency(latency),
    memory: memory === undefined ? null : toMemory(memory),
  };
}

/** By what is decided and how much is asked for, then by the number of consumers. */
function toDecision(costs: readonly DecisionCost[]): object {
  const result: Record<string, Record<string, object>> = {};
  for (const { consumers, part, load, micros, waited, refused } of costs) {
    const row = (result[load === "below" ? part : `${part}_${load}_capacity`] ??= {});
    row[`${consumers}`] = {
      median: round(micros.median, 2),
      spread: spread(micros),
      waited: round(waited, 3),
      refused: round(refused, 3),
    };
  }
  return result;
}

function ratiosOf(proxy: ProxyName, cpu: Measured["cpu"]): Record<string, number> {
  return byCase(proxy, cpu, ({ ratio }) => round(ratio.median, 3));
}

function spreadsOf(proxy: ProxyName, cpu: Measured["cpu"]): Record<string, readonly [number, number]> {
  return byCase(proxy, cpu, ({ ratio }) => spread(ratio));
}

function byCase<Value>(proxy: ProxyName, cpu: Measured["cpu"], value: (cost: CpuCost) => Value): Record<string, Value> {
  const costs = [...cpu].flatMap(([name, all]) =>
    all.filter((cost) => cost.name === proxy).map((cost) => [name, value(cost)] as const),
  );
  return Object.fromEntries(costs);
}

function costsOf(proxy: ProxyName, cpu: Measured["cpu"]): Record<string, number> | null {
  const costs = byCase(proxy, cpu, ({ micros }) => round(micros.median, 1));
  return Object.keys(costs).length === 0 ? null : costs;
}

function toLatency(latency: readonly Latency[]): object {
  return Object.fromEntries(
    latency.map(({ name, p50, p99 }) => [
      name,
      name === "direct"
        ? { p50: round(p50, 3), p99: round(p99, 3) }
        : { added_p50: round(p50, 3), added_p99: round(p99, 3) },
    ]),
  );
}

function toMemory({ idleStreams, bytesPerStream }: Memory): object {
  return {
    idle_streams: idleStreams,
    bytes_per_stream: Math.round(bytesPerStream["headgate"] ?? Number.NaN),
    allotted_bytes_per_stream: Math.round(bytesPerStream["allotted"] ?? Number.NaN),
    bare_bytes_per_stream: Math.round(bytesPerStream["bare"] ?? Number.NaN),
  };
}

function spread({ least, most }: Summary): readonly [number, number] {
  return [round(least, 3), round(most, 3)];
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
