import { renderRequest } from "../wire/request.ts";
import type { Connection, Traffic } from "./connection.ts";
import { percentiles } from "./percentiles.ts";
import type { LoadCommand, LoadReport } from "./plan.ts";
import { connectionsTo } from "./pools.ts";

/** Keeps every connection busy until the time is up, then waits for the last answers. */
export async function closedLoop(plan: Extract<LoadCommand, { kind: "closed" }>): Promise<LoadReport> {
  const traffic: Traffic = { chunks: 0, reads: 0 };
  const latencies: number[] = [];
  const endsAt = performance.now() + plan.seconds * 1_000;
  let wrong = 0;
  const run = (connection: Connection, index: number): Promise<void> =>
    new Promise((resolve) => {
      const request = renderRequest(plan.wanted, plan.port, index);
      const next = (): void => {
        const sentAt = performance.now();
        if (sentAt >= endsAt) return resolve();
        connection.send(request, traffic, (status) => {
          latencies.push(performance.now() - sentAt);
          if (status !== plan.status) wrong += 1;
          next();
        });
      };
      next();
    });
  await Promise.all(connectionsTo(plan.port, "busy", plan.connections).map(run));
  return { done: latencies.length - wrong, wrong, ...traffic, latencyMs: percentiles(latencies) };
}
