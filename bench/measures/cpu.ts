import { withProxies } from "../proxies/start.ts";
import type { Proxy, ProxyName, Role } from "../proxies/proxy.ts";
import type { Wanted } from "../wire/request.ts";
import { type Bench, optionsFor } from "./bench.ts";
import { inRounds } from "./rounds.ts";
import { type Summary, summarize } from "./statistics.ts";

/** Something that costs a proxy processor time. */
export interface CpuCase {
  readonly role: Role;
  readonly wanted: Wanted;
  /** What is counted: answers, or chunks as the backend wrote them. */
  readonly unit: "answer" | "chunk";
}

export interface CpuCost {
  readonly name: ProxyName;
  /** Microseconds of the whole process per unit. */
  readonly micros: Summary;
  /** Against the bare proxy in the same round. */
  readonly ratio: Summary;
  /** Times that the client had something to read, per unit. For chunks, 1 shows that none were glued together. */
  readonly readsPerUnit: number;
}

/** Each sends the key of another consumer. */
const CONNECTIONS = 50;

/** Wakes everything up and fills the connections, so that no turn pays for the pause before it. */
const LEAD_IN_SECONDS = 0.3;

interface Turn {
  readonly micros: number;
  readonly reads: number;
}

/** Processor time per unit of every proxy, taken in turns, and by several processes of each one after another. */
export async function measureCpu(bench: Bench, work: CpuCase): Promise<readonly CpuCost[]> {
  const turns = new Map<ProxyName, Turn[]>(bench.proxies.map((name) => [name, []]));
  for (let generation = 0; generation < bench.extent.generations; generation++) {
    const rounds = await withProxies(bench.proxies, optionsFor(bench, work.role), (proxies) =>
      oneGeneration(bench, work, proxies),
    );
    for (const [name, own] of rounds) turns.get(name)?.push(...own);
  }
  const bare = turns.get("bare") ?? [];
  return [...turns].map(([name, own]) => ({
    name,
    micros: summarize(own.map(({ micros }) => micros)),
    ratio: summarize(own.map(({ micros }, round) => micros / (bare[round]?.micros ?? Number.NaN))),
    readsPerUnit: summarize(own.map(({ reads }) => reads)).median,
  }));
}

async function oneGeneration(
  bench: Bench,
  work: CpuCase,
  proxies: readonly Proxy[],
): Promise<ReadonlyMap<ProxyName, readonly Turn[]>> {
  const { extent, load } = bench;
  if (work.role === "refuse") {
    for (const { port, refusesAfter: streams } of proxies) await load.ask({ kind: "hold", port, streams });
  }
  for (const proxy of proxies) await turn(bench, work, proxy, extent.warmUpSeconds);
  const rounds = await inRounds(proxies, extent.rounds, async (proxy) => {
    await turn(bench, work, proxy, LEAD_IN_SECONDS);
    return turn(bench, work, proxy, extent.seconds);
  });
  for (const { port } of proxies) await load.ask({ kind: "close", port });
  return rounds;
}

async function turn(
  { backend, load }: Bench,
  { role, wanted, unit }: CpuCase,
  proxy: Proxy,
  seconds: number,
): Promise<Turn> {
  const status = role === "refuse" ? proxy.refusal : 200;
  const written = await backend.ask({});
  const before = await proxy.usage();
  const report = await load.ask({
    kind: "closed",
    port: proxy.port,
    wanted,
    status,
    connections: CONNECTIONS,
    seconds,
  });
  const after = await proxy.usage();
  if (report.wrong > 0) throw new Error(`${proxy.name}: ${report.wrong} answers of ${report.done} were not ${status}`);
  const units = unit === "answer" ? report.done : (await backend.ask({})) - written;
  return { micros: (after.cpuMicros - before.cpuMicros) / units, reads: report.reads / units };
}
