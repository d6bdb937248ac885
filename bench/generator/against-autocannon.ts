import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import autocannon from "autocannon";

import { openDoor } from "../../src/lab/http/door.ts";
import { send } from "./load.ts";
import { percentile } from "./numbers.ts";

/** Percentiles of the time to the whole answer, in ms. */
interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly requests: number;
}

export interface AutocannonRow {
  readonly connections: number;
  readonly generator: Latency;
  readonly autocannon: Latency;
}

const ROUNDS = 3;
const WARM_UP_S = 2;
const BODY = JSON.stringify({ model: "m", messages: [{ role: "user", content: "water ".repeat(112) }] });

/**
 * Both ask a server that answers after 50 ms, each on so many connections, one question after the other on each. They take
 * turns, so that both meet the same machine.
 */
export async function againstAutocannon(levels: readonly number[], seconds: number): Promise<AutocannonRow[]> {
  const server = fork(fileURLToPath(new URL("constant.ts", import.meta.url)));
  try {
    const [port] = (await once(server, "message")) as [number];
    const url = `http://127.0.0.1:${port}`;
    await ours(url, 20, WARM_UP_S);
    await theirs(url, 20, WARM_UP_S);
    const rows: AutocannonRow[] = [];
    for (const connections of levels) {
      const times = { generator: [] as number[], autocannon: [] as number[] };
      for (let round = 0; round < ROUNDS; round++) {
        times.generator.push(...(await ours(url, connections, seconds)));
        times.autocannon.push(...(await theirs(url, connections, seconds)));
      }
      rows.push({
        connections,
        generator: latencyOf(times.generator),
        autocannon: latencyOf(times.autocannon),
      });
    }
    return rows;
  } finally {
    server.disconnect();
  }
}

async function ours(url: string, connections: number, seconds: number): Promise<readonly number[]> {
  const door = await openDoor({ url, model: "m" });
  const arrivals = { kind: "workers", steps: [connections], requests: undefined, pauseMs: 0 } as const;
  const { visits } = await send(door, { arrivals, seconds, behaviour: { stream: false } });
  await door.close();
  return visits.filter(({ ending }) => ending === "served").map(({ endAt, sentAt }) => endAt - sentAt);
}

/** Its own percentiles are whole milliseconds; here are the times that it took them from. */
async function theirs(url: string, connections: number, seconds: number): Promise<readonly number[]> {
  const times: number[] = [];
  await new Promise<void>((resolve, reject) => {
    const options: autocannon.Options = {
      url: `${url}/v1/chat/completions`,
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer k-generator" },
      body: BODY,
      connections,
      duration: seconds,
    };
    const run = autocannon(options, (error: Error | null) => (error === null ? resolve() : reject(error)));
    run.on("response", (_client, status, _bytes, time) => {
      if (status === 200) times.push(time);
    });
  });
  return times;
}

function latencyOf(times: readonly number[]): Latency {
  const at = (fraction: number): number => percentile(times, fraction);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), requests: times.length };
}
