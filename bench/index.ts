/* What the gate costs, against the least that a relay in Node can cost, and against nginx and HAProxy. See README.md. */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import type { LoadCommand, LoadReport } from "./load/plan.ts";
import type { Bench, Extent } from "./measures/bench.ts";
import { type CpuCase, type CpuCost, measureCpu } from "./measures/cpu.ts";
import { measureDecision } from "./measures/decision.ts";
import { measureLatency } from "./measures/latency.ts";
import { measureMemory } from "./measures/memory.ts";
import { build } from "./process/build.ts";
import { Child } from "./process/child.ts";
import { availableProxies, OWN } from "./proxies/start.ts";
import { describeCommit, describeMachine } from "./report/machine.ts";
import { toResults } from "./report/results.ts";
import { cpuTable, decisionTable, latencyTable, memoryTable } from "./report/table.ts";

const FULL: Extent = {
  generations: 4,
  rounds: 2,
  seconds: 1.5,
  warmUpSeconds: 2,
  latency: { rounds: 5, seconds: 3 },
  idleStreams: 5_000,
  decisions: 300_000,
};
const QUICK: Extent = {
  generations: 1,
  rounds: 2,
  seconds: 0.4,
  warmUpSeconds: 0.5,
  latency: { rounds: 2, seconds: 0.5 },
  idleStreams: 1_000,
  decisions: 60_000,
};

const CPU_CASES: Readonly<Record<string, CpuCase>> = {
  cpu_per_request: { role: "relay", wanted: "json", unit: "answer" },
  cpu_per_refusal: { role: "refuse", wanted: "json", unit: "answer" },
  cpu_per_chunk: { role: "relay", wanted: "stream", unit: "chunk" },
};
const MEASURES = ["decision", ...Object.keys(CPU_CASES), "latency", "memory"];

const { values: flags } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string" }, profile: { type: "string" } },
});
const { quick, only, profile } = flags;
if (only !== undefined && !MEASURES.includes(only)) {
  console.error(`--only takes one of ${MEASURES.join(", ")}, got ${only}`);
  process.exit(2);
}

const machine = describeMachine();
console.log(`${machine.cpu}, ${machine.cores} cores, Node ${process.version}, commit ${describeCommit()}`);
if (machine.load_before > 0.5) console.log(`others are at work on this machine (load ${machine.load_before})`);
build();
const backend = await Child.start<object, number>("backend");
const load = await Child.start<LoadCommand, LoadReport>("load");
const proxies = quick ? OWN : availableProxies();
const bench: Bench = { extent: quick ? QUICK : FULL, proxies, backend, load, profile };
const wants = (name: string): boolean => only === undefined || only === name;

const decision = wants("decision") ? await measureDecision(bench.extent, profile) : undefined;
if (decision !== undefined) console.log(`\n${decisionTable(decision)}`);
const cpu = new Map<string, readonly CpuCost[]>();
for (const [name, work] of Object.entries(CPU_CASES)) {
  if (!wants(name)) continue;
  const costs = await measureCpu(bench, work);
  cpu.set(name, costs);
  console.log(`\n${cpuTable(name, costs)}`);
}
const latency = wants("latency") ? await measureLatency(bench) : undefined;
if (latency !== undefined) console.log(latencyTable(latency));
const memory = wants("memory") ? await measureMemory(bench) : undefined;
if (memory !== undefined) console.log(memoryTable(memory));
await Promise.all([backend.stop(), load.stop()]);

if (quick || only !== undefined) console.log("not recorded: only a run of everything is");
else {
  const facts = { machine, date: new Date().toISOString(), node: process.version, commit: describeCommit() };
  const folder = new URL("results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const { generations, rounds } = FULL;
  const results = toResults({ ...facts, generations, rounds }, { decision, cpu, latency, memory });
  writeFileSync(new URL("latest.json", folder), `${JSON.stringify(results, undefined, 2)}\n`);
  console.log("recorded in bench/results/latest.json");
}
