import { readFileSync } from "node:fs";

import type { Usage } from "./answer.ts";

/** Linux tells processor time in hundredths of a second. */
const TICK_MICROS = 10_000;
const PAGE_BYTES = 4_096;

/** What a process and its children have used, as Linux counts it. */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name of the program comes second, in parentheses, and may contain anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system, pages] = [fields[11], fields[12], fields[21]].map(Number);
  const usage = { cpuMicros: ((user ?? 0) + (system ?? 0)) * TICK_MICROS, rssBytes: (pages ?? 0) * PAGE_BYTES };
  for (const child of childrenOf(pid)) {
    const { cpuMicros, rssBytes } = usageOf(child);
    usage.cpuMicros += cpuMicros;
    usage.rssBytes += rssBytes;
  }
  return usage;
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).map(Number);
}
