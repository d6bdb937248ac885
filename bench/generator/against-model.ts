import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { systemClock } from "../../src/engine/clock.ts";
import { openDoor } from "../../src/lab/http/door.ts";
import { resetModel } from "../../src/lab/http/model-watch.ts";
import { readMetrics } from "../../src/lab/http/read-metrics.ts";
import type { PresetName } from "../../src/lab/model/presets.ts";
import type { Arrivals, Behaviour } from "../../src/lab/scenario/types.ts";
import { startStage } from "../../src/lab/stage/stage.ts";
import { type Detour, withDetour } from "./detour.ts";
import { send, type Seen } from "./load.ts";
import { meanOf, percentile } from "./numbers.ts";

/** A model, and what is asked of it, one after the other. */
export interface Course {
  readonly preset: PresetName;
  readonly loads: readonly {
    readonly name: string;
    readonly arrivals: Arrivals;
    readonly behaviour?: Partial<Behaviour>;
  }[];
}

/** One mean, by the generator and by the model itself, in ms. */
interface Pair {
  readonly generator: number;
  readonly model: number;
}

/** What both say of the same requests. */
export interface ModelRow {
  readonly preset: PresetName;
  readonly load: string;
  readonly requests: number;
  readonly served: number;
  readonly ttft: Pair;
  readonly itl: Pair;
  readonly e2e: Pair;
  /** What the generator's times have in them and the model's have not. */
  readonly detour: Detour;
  /** By the generator. The model knows its own only as a bucket, between two bounds. */
  readonly ttftP50: number;
  readonly ttftP50Within: readonly [number, number];
  /** p99 of how late requests went out. */
  readonly lateMs: number;
  /** Of the generator, 1 being a whole processor. */
  readonly cpu: number;
}

const WARM_UP_S = 4;

/** Sends questions to a model, and asks it afterwards how long it took. */
export async function againstModel({ preset, loads }: Course, seconds: number, folder: string): Promise<ModelRow[]> {
  const cli = fileURLToPath(new URL("../../src/cli/index.ts", import.meta.url));
  const stage = await startStage({
    launch: (args) => spawn(process.execPath, [...process.execArgv, cli, ...args]),
    model: { preset, seed: 1 },
    speed: 1,
    gate: undefined,
    folder,
    clock: systemClock,
    onDeath: (why) => {
      throw new Error(why);
    },
  });
  const door = await openDoor({ url: stage.url });
  try {
    const rows: ModelRow[] = [];
    for (const [index, { name, ...load }] of loads.entries()) {
      if (index === 0) await send(door, { ...load, seconds: WARM_UP_S });
      await resetModel(stage.url);
      const { value: seen, detour } = await withDetour(stage.url, () => send(door, { ...load, seconds }));
      const page = await (await fetch(`${stage.url}/metrics`)).text();
      rows.push({ preset, load: name, detour, ...compare(seen, page) });
    }
    return rows;
  } finally {
    await door.close();
    await stage.stop();
  }
}

function compare({ visits, gaps, cpu }: Seen, page: string): Omit<ModelRow, "preset" | "load" | "detour"> {
  const { ttft, itl } = readMetrics(page, 0);
  const served = visits.filter(({ ending }) => ending === "served");
  const firsts = served.map(({ firstTokenAt, sentAt }) => firstTokenAt - sentAt);
  return {
    requests: visits.length,
    served: served.length,
    ttft: { generator: meanOf(firsts), model: ttft.sumMs / ttft.count },
    itl: { generator: gaps.sumMs / gaps.count, model: itl.sumMs / itl.count },
    e2e: { generator: meanOf(served.map(({ endAt, sentAt }) => endAt - sentAt)), model: wholeMs(page) },
    ttftP50: percentile(firsts, 0.5),
    ttftP50Within: medianBucket(page, "vllm:time_to_first_token_seconds"),
    lateMs: percentile(
      visits.map(({ sentAt, plannedAt }) => sentAt - plannedAt),
      0.99,
    ),
    cpu,
  };
}

function wholeMs(page: string): number {
  const read = (part: string): number =>
    Number(new RegExp(`^vllm:e2e_request_latency_seconds_${part}\\{.*\\} (\\S+)$`, "m").exec(page)?.[1] ?? Number.NaN);
  return (1_000 * read("sum")) / read("count");
}

function medianBucket(page: string, name: string): readonly [number, number] {
  const lines = page.matchAll(new RegExp(`^${name}_bucket\\{.*le="(.*?)"\\} (\\d+)$`, "gm"));
  const buckets = [...lines].map(([, bound, count]) => ({
    bound: bound === "+Inf" ? Infinity : 1_000 * Number(bound),
    count: Number(count),
  }));
  const half = (buckets.at(-1)?.count ?? 0) / 2;
  const index = buckets.findIndex(({ count }) => count >= half);
  return [buckets[index - 1]?.bound ?? 0, buckets[index]?.bound ?? Number.NaN];
}
