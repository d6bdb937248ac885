import { renderRequest } from "../wire/request.ts";
import type { Connection } from "./connection.ts";
import { percentiles } from "./percentiles.ts";
import type { LoadCommand, LoadReport } from "./plan.ts";
import { connectionsTo } from "./pools.ts";

/** So many connections are being made at once. */
const STEP = 100;

/** Opens streams that stay open, some at a time, and waits until each has said something. */
export async function hold(plan: Extract<LoadCommand, { kind: "hold" }>): Promise<LoadReport> {
  const traffic = { chunks: 0, reads: 0 };
  let wrong = 0;
  const open = (connection: Connection, index: number): Promise<void> =>
    new Promise((resolve) => {
      connection.onceChunk(resolve);
      connection.send(renderRequest("idle", plan.port, index), traffic, () => {
        wrong += 1;
        resolve();
      });
    });
  const connections = connectionsTo(plan.port, "holding", plan.streams);
  for (let at = 0; at < connections.length; at += STEP) {
    await Promise.all(connections.slice(at, at + STEP).map((connection, index) => open(connection, at + index)));
  }
  return { done: plan.streams - wrong, wrong, ...traffic, latencyMs: percentiles([]) };
}
