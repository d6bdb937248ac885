import type { ProxyName } from "../proxies/proxy.ts";
import { withProxies } from "../proxies/start.ts";
import { type Bench, optionsFor } from "./bench.ts";
import { inRounds } from "./rounds.ts";
import { summarize } from "./statistics.ts";

/** Milliseconds that stand in front of an answer: all of them for `direct`, what a proxy adds for the others. */
export interface Latency {
  readonly name: ProxyName | "direct";
  readonly p50: number;
  readonly p99: number;
}

const RATE = 500;

/** Latency at a steady rate, straight to the backend and through every proxy, taken in turns. */
export async function measureLatency(bench: Bench): Promise<readonly Latency[]> {
  const { backend, extent, load } = bench;
  return withProxies(bench.proxies, optionsFor(bench, "relay"), async (proxies) => {
    const targets = [{ name: "direct" as const, port: backend.port }, ...proxies];
    const ask = (port: number, seconds: number) => load.ask({ kind: "open", port, rate: RATE, seconds });
    for (const { port } of targets) await warmUp(bench, port);
    const rounds = await inRounds(targets, extent.latency.rounds, async ({ name, port }) => {
      const { latencyMs, wrong } = await ask(port, extent.latency.seconds);
      if (wrong > 0) throw new Error(`${name}: ${wrong} answers were not 200`);
      return latencyMs;
    });
    const direct = rounds.get("direct") ?? [];
    return targets.map(({ name }) => {
      const own = rounds.get(name) ?? [];
      const added = (pick: "p50" | "p99"): number =>
        summarize(own.map((turn, round) => turn[pick] - (name === "direct" ? 0 : (direct[round]?.[pick] ?? 0)))).median;
      return { name, p50: added("p50"), p99: added("p99") };
    });
  });
}

/** Compiled code is what a gate runs that has been up for a while; at the steady rate it would take minutes to get there. */
async function warmUp({ extent, load }: Bench, port: number): Promise<void> {
  await load.ask({ kind: "closed", port, wanted: "json", status: 200, connections: 50, seconds: extent.warmUpSeconds });
  await load.ask({ kind: "close", port });
  await load.ask({ kind: "open", port, rate: RATE, seconds: 2 * extent.warmUpSeconds });
}
