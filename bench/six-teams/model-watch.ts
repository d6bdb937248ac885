import { setTimeout as sleep } from "node:timers/promises";

import type { ModelStats } from "../../src/lab/model/site.ts";

/** What the model's own metrics say at one moment. */
export interface Reading {
  /** By name, as in `/metrics`; those of the engine have one set of labels each. */
  readonly values: ReadonlyMap<string, number>;
  /** Since the watch began, in ms. */
  readonly at: number;
}

/** What happened at the model between two readings. */
export interface ModelFigures {
  /** Mean, in ms. */
  readonly firstToken: number;
  /** Mean, in ms. */
  readonly interToken: number;
  /** Means of the readings in between. */
  readonly running: number;
  readonly gpuPercent: number;
  readonly kvPercent: number;
}

const LINE = /^([\w:]+)(?:\{[^}]*\})? (\S+)$/;
const EVERY_MS = 1_000;

/** Reads the metrics every second while `work` is at work. */
export async function watchModel<Value>(
  url: string,
  work: () => Promise<Value>,
): Promise<{ readonly value: Value; readonly readings: readonly Reading[] }> {
  const startedAt = performance.now();
  const readings: Reading[] = [];
  const read = async (): Promise<void> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const rows = text.split("\n").flatMap((line) => {
      const [, name, value] = LINE.exec(line) ?? [];
      return name === undefined ? [] : [[name, Number(value)] as const];
    });
    readings.push({ values: new Map(rows), at: performance.now() - startedAt });
  };
  await read();
  const done = new AbortController();
  const result = work().finally(() => done.abort());
  while (!done.signal.aborted) {
    await sleep(EVERY_MS, undefined, { signal: done.signal }).catch(() => {});
    await read();
  }
  return { value: await result, readings };
}

/** What the readings from the first to the last say together. */
export function figuresOf(readings: readonly Reading[]): ModelFigures {
  const grown = (name: string): number =>
    (readings.at(-1)?.values.get(name) ?? 0) - (readings[0]?.values.get(name) ?? 0);
  const meanMs = (name: string): number => (1_000 * grown(`${name}_sum`)) / grown(`${name}_count`);
  const mean = (name: string): number =>
    readings.reduce((sum, { values }) => sum + (values.get(name) ?? Number.NaN), 0) / readings.length;
  return {
    firstToken: meanMs("vllm:time_to_first_token_seconds"),
    interToken: meanMs("vllm:inter_token_latency_seconds"),
    running: mean("vllm:num_requests_running"),
    gpuPercent: mean("nvidia_gpu_utilization"),
    kvPercent: 100 * mean("vllm:kv_cache_usage_perc"),
  };
}

/** What the model counted, of which the highest concurrency counts most. */
export async function modelStats(url: string): Promise<ModelStats> {
  return (await (await fetch(`${url}/sim/stats`)).json()) as ModelStats;
}

/** Starts the model's counts at zero. */
export async function resetModel(url: string): Promise<void> {
  await fetch(`${url}/sim/reset`, { method: "POST" });
}
