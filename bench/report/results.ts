import type { CpuCost } from "../measures/cpu.ts";
import type { Latency } from "../measures/latency.ts";
import type { Memory } from "../measures/memory.ts";
import type { Summary } from "../measures/statistics.ts";
import { PROXIES, type ProxyName } from "../proxies/proxy.ts";
import type { Machine } from "./machine.ts";

/** What was measured. Only a run of everything has all of it. */
export interface Measured {
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

/** `bench/results/latest.json`. Ratios are the gate's cost over that of the bare proxy; costs are microseconds. */
export function toResults(facts: RunFacts, { cpu, latency, memory }: Measured): object {
  const gate = [...cpu].flatMap(([name, costs]) =>
    costs.filter((cost) => cost.name === "headgate").map((cost) => ({ name, cost })),
  );
  const pairs = <Value>(value: (cost: CpuCost) => Value): Record<string, Value> =>
    Object.fromEntries(gate.map(({ name, cost }) => [name, value(cost)]));
  return {
    ...facts,
    ratios: pairs(({ ratio }) => round(ratio.median, 3)),
    ratio_spread: pairs(({ ratio }) => spread(ratio)),
    ...Object.fromEntries(
      PROXIES.map((proxy) => [proxy, costsOf(proxy, cpu)] as const).filter(([, costs]) => costs !== null),
    ),
    latency_ms: latency === undefined ? null : toLatency(latency),
    memory: memory === undefined ? null : toMemory(memory),
  };
}

function costsOf(proxy: ProxyName, cpu: Measured["cpu"]): Record<string, number> | null {
  const costs = [...cpu].flatMap(([name, all]) =>
    all.filter((cost) => cost.name === proxy).map((cost) => [name, round(cost.micros.median, 1)] as const),
  );
  return costs.length === 0 ? null : Object.fromEntries(costs);
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
    bare_bytes_per_stream: Math.round(bytesPerStream["bare"] ?? Number.NaN),
  };
}

function spread({ least, most }: Summary): readonly [number, number] {
  return [round(least, 3), round(most, 3)];
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
