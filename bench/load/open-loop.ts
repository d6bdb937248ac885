import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";

import { renderRequest } from "../wire/request.ts";
import { CONSUMERS } from "../wire/keys.ts";
import { Connection } from "./connection.ts";
import { percentiles } from "./percentiles.ts";
import type { LoadCommand, LoadReport } from "./plan.ts";

/** Timers are late by up to this; the rest of the way is spent turning. */
const TIMER_SLACK_MS = 1.2;

const NOTHING = Buffer.alloc(0);

/** Sends at a constant rate. Whoever finds no idle connection opens another one, so that nothing waits here. */
export async function openLoop(plan: Extract<LoadCommand, { kind: "open" }>): Promise<LoadReport> {
  const requests = Array.from({ length: CONSUMERS }, (_, index) => renderRequest("json", plan.port, index));
  const traffic = { chunks: 0, reads: 0 };
  const idle: Connection[] = [];
  const all: Connection[] = [];
  const latencies: number[] = [];
  const total = Math.round(plan.rate * plan.seconds);
  let wrong = 0;
  const opened = (): Connection => {
    const connection = new Connection(plan.port);
    all.push(connection);
    return connection;
  };
  const startsAt = performance.now() + 5;
  for (let index = 0; index < total; index++) {
    const dueAt = startsAt + (index * 1_000) / plan.rate;
    await until(dueAt);
    const connection = idle.pop() ?? opened();
    connection.send(requests[index % CONSUMERS] ?? NOTHING, traffic, (status) => {
      latencies.push(performance.now() - dueAt);
      if (status !== 200) wrong += 1;
      idle.push(connection);
    });
  }
  while (latencies.length < total) await sleep(5);
  for (const connection of all) connection.close();
  return { done: total - wrong, wrong, ...traffic, latencyMs: percentiles(latencies) };
}

async function until(dueAt: number): Promise<void> {
  const left = dueAt - performance.now();
  if (left > TIMER_SLACK_MS) await sleep(left - TIMER_SLACK_MS);
  while (performance.now() < dueAt) await turn();
}
