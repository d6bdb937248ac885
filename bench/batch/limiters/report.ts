import { createRandom } from "../../../src/core/random.ts";
import { CALLS, LIMIT } from "./protocol.ts";

/** One run of one contender. */
export interface Run {
  readonly name: string;
  readonly seed: number;
  readonly seconds: number;
  /** Calls that were refused, by the server's count. */
  readonly refused: number;
  /** The most that arrived in any second, by the server's clock. */
  readonly worst: number;
  /** Calls that never succeeded. */
  readonly failed: number;
}

/** All runs of one contender. */
export interface Standing {
  readonly name: string;
  readonly seconds: { readonly mean: number; readonly sd: number; readonly least: number; readonly most: number };
  readonly refused: number;
  readonly refused_runs: number;
  readonly worst_in_any_window: number;
  readonly failed: number;
}

export function standingOf(name: string, runs: readonly Run[]): Standing {
  const seconds = runs.map((run) => run.seconds);
  const mean = sum(seconds) / seconds.length;
  const sd = Math.sqrt(sum(seconds.map((one) => (one - mean) ** 2)) / (seconds.length - 1));
  return {
    name,
    seconds: {
      mean: rounded(mean),
      sd: rounded(sd),
      least: rounded(Math.min(...seconds)),
      most: rounded(Math.max(...seconds)),
    },
    refused: sum(runs.map((run) => run.refused)),
    refused_runs: runs.filter((run) => run.refused > 0).length,
    worst_in_any_window: Math.max(...runs.map((run) => run.worst)),
    failed: sum(runs.map((run) => run.failed)),
  };
}

/** The least that the limit allows with the latencies of a seed: two calls at once every second, in this order. */
export function leastSeconds(seed: number): number {
  const random = createRandom(seed);
  let end = 0;
  for (let call = 0; call < CALLS; call++) {
    const start = Math.floor(call / LIMIT.amount) * LIMIT.windowMs;
    end = Math.max(end, start + LIMIT.leastMs + random() * (LIMIT.mostMs - LIMIT.leastMs));
  }
  return end / 1_000;
}

export function tableOf(standings: readonly Standing[]): string {
  const head = `${"".padEnd(25)}   mean ± sd       least    most   429s  in runs  worst/s`;
  const lines = standings.map(({ name, seconds, refused, refused_runs: runs, worst_in_any_window: worst, failed }) => {
    const wall = `${fixed(seconds.mean)} ± ${fixed(seconds.sd, 4)}   ${fixed(seconds.least)}  ${fixed(seconds.most)}`;
    const lost = failed > 0 ? `  (${failed} calls failed)` : "";
    return `${name.padEnd(25)}  ${wall}  ${pad(refused, 5)}  ${pad(runs, 7)}  ${pad(worst, 7)}${lost}`;
  });
  return [head, ...lines].join("\n");
}

function fixed(value: number, width = 6): string {
  return value.toFixed(2).padStart(width);
}

function pad(value: number, width: number): string {
  return String(value).padStart(width);
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
