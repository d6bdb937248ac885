import type { CpuCost } from "../measures/cpu.ts";
import type { DecisionCost } from "../measures/decision.ts";
import type { Latency } from "../measures/latency.ts";
import type { Memory } from "../measures/memory.ts";

export function decisionTable(costs: readonly DecisionCost[]): string {
  const rows = costs.map(({ consumers, part, load, micros, waited, refused }) => [
    `${consumers}, ${load}, up to the ${part}`,
    micros.median.toFixed(2),
    `${micros.least.toFixed(2)}–${micros.most.toFixed(2)}`,
    percent(waited),
    percent(refused),
  ]);
  return table(["decision, consumers", "µs", "spread", "waited", "refused"], rows);
}

export function cpuTable(name: string, costs: readonly CpuCost[]): string {
  const rows = costs.map(({ name, micros, ratio, readsPerUnit }) => [
    name,
    micros.median.toFixed(1),
    ratio.median.toFixed(2),
    `${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)}`,
    readsPerUnit.toFixed(2),
  ]);
  return table([name, "µs", "÷ bare", "spread", "reads"], rows);
}

export function latencyTable(latency: readonly Latency[]): string {
  const rows = latency.map(({ name, p50, p99 }) => [
    name === "direct" ? name : `${name}, added`,
    p50.toFixed(3),
    p99.toFixed(3),
  ]);
  return table(["latency at 500/s, ms", "p50", "p99"], rows);
}

export function memoryTable({ idleStreams, bytesPerStream }: Memory): string {
  const rows = Object.entries(bytesPerStream).map(([name, bytes]) => [name, (bytes / 1_024).toFixed(1)]);
  return table([`${idleStreams} idle streams`, "KiB each"], rows);
}

function percent(part: number): string {
  return `${(100 * part).toFixed(0)}%`;
}

/** Text to the left, numbers to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(Math.max(24, widths[0] ?? 0)) : cell.padStart((widths[column] ?? 0) + 3),
        )
        .join(""),
    )
    .join("\n")
    .concat("\n");
}
