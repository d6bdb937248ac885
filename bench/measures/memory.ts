import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import type { Proxy } from "../proxies/proxy.ts";
import { OWN, withProxies } from "../proxies/start.ts";
import { type Bench, COLLECT, optionsFor } from "./bench.ts";

export interface Memory {
  readonly idleStreams: number;
  /** Of the process, without what the kernel keeps for its sockets. */
  readonly bytesPerStream: Readonly<Record<string, number>>;
}

const SETTLE_MS = 2_000;

/** What open streams take that say nothing. Undefined, with a line that says why, where so many may not be open. */
export async function measureMemory(bench: Bench): Promise<Memory | undefined> {
  const { idleStreams } = bench.extent;
  const needed = 2 * idleStreams + 200;
  const allowed = openFilesLimit();
  if (allowed < needed) {
    console.log(`memory is left out: ${idleStreams} streams take ${needed} open files, and ${allowed} are allowed`);
    console.log(`(raise the limit with: ulimit -n ${needed})`);
    return undefined;
  }
  const measured = bench.proxies.filter((name) => OWN.includes(name));
  return withProxies(measured, optionsFor(bench, "hold"), async (proxies) => {
    const bytesPerStream: Record<string, number> = {};
    for (const proxy of proxies) bytesPerStream[proxy.name] = await perStream(bench, proxy);
    return { idleStreams, bytesPerStream };
  });
}

async function perStream({ extent, load }: Bench, proxy: Proxy): Promise<number> {
  const { port } = proxy;
  // What is made once is not counted: code, caches, the first buffers.
  await load.ask({ kind: "closed", port, wanted: "json", status: 200, connections: 50, seconds: extent.warmUpSeconds });
  const before = await proxy.usage(COLLECT);
  const { wrong } = await load.ask({ kind: "hold", port, streams: extent.idleStreams });
  if (wrong > 0) throw new Error(`${proxy.name}: ${wrong} of ${extent.idleStreams} streams did not open`);
  await sleep(SETTLE_MS);
  const after = await proxy.usage(COLLECT);
  await load.ask({ kind: "close", port });
  return (after.rssBytes - before.rssBytes) / extent.idleStreams;
}

/** Node raises its own limit as far as it may, and its children inherit that. */
function openFilesLimit(): number {
  if (process.platform !== "linux") return Infinity;
  const line = /^Max open files +(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "latin1"));
  return line?.[1] === undefined || line[1] === "unlimited" ? Infinity : Number(line[1]);
}
