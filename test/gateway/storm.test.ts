/** Thousands of connections over real sockets, a third of which break off, against backends that fail in every way. */
import { expect, test } from "vitest";

import { storm, type StormOptions, type StormReport } from "./support/storm-site.ts";
import { openResources } from "./support/storm-watch.ts";

/** Another seed makes another storm: `STORM_SEED=7 npx vitest run test/gateway/storm.test.ts`. */
const SEED = Number(process.env["STORM_SEED"] ?? 1);

const OPTIONS: StormOptions = {
  seed: SEED,
  requests: 2_000,
  parallel: 400,
  maxConcurrent: 20,
  backends: [20],
  onClientDisconnect: "abort",
};

/** Runs a storm and holds what holds after every one. */
async function weather(options: Partial<StormOptions>): Promise<StormReport> {
  const all = { ...OPTIONS, ...options };
  const before = openResources();
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  const report = await storm(all);
  process.off("warning", onWarning);
  const { stats, left, models } = report;
  expect(report.complaints).toEqual([]);
  expect(warnings).toEqual([]);
  expect(left).toEqual({ gateSockets: 0, gateRequests: 0, backendSockets: 0, backendRequests: 0, gateTimers: 0 });
  expect(stats).toMatchObject({ open: 0, in_flight: 0, waiting: 0, buffered_bytes: 0 });
  for (const deployment of Object.values(stats.deployments)) {
    expect(deployment).toMatchObject({ late_settlements: 0, unseated: { in_flight: 0, waiting: 0 } });
    expect(deployment.backends.map((backend) => backend.in_flight)).toEqual(all.backends.map(() => 0));
  }
  // Every request that reached the gate has one outcome, and none was cut off by the stop.
  expect(Object.values(stats.outcomes).reduce((sum, count) => sum + count, 0)).toBe(report.reached);
  expect(stats.outcomes).not.toHaveProperty("draining");
  expect(report.maxOpen).toBeLessThanOrEqual(all.maxConcurrent);
  for (const [index, model] of models.entries()) {
    expect(model.concurrent).toBe(0);
    expect(model.max_concurrent_seen).toBeLessThanOrEqual(all.backends[index] ?? 0);
  }
  const after = openResources();
  expect(after.sockets).toBe(0);
  expect(after.timers).toBeLessThanOrEqual(before.timers);
  return report;
}

test("a storm leaves nothing behind, and the backend never sees more than the cap", { timeout: 60_000 }, async () => {
  const { reached, models, maxOpen } = await weather({});
  expect(reached).toBeGreaterThan(1_900);
  expect(maxOpen).toBe(20);
  expect(models[0]?.requests.aborted).toBeGreaterThan(0);
});

test("so it is where the answers of clients that left are read to their end", { timeout: 60_000 }, async () => {
  const { models } = await weather({ requests: 1_000, onClientDisconnect: "drain" });
  expect(models[0]?.requests.aborted).toBe(0);
});

test("so it is with two backends of which one is down for a while", { timeout: 60_000 }, async () => {
  const { models } = await weather({ requests: 1_000, backends: [10, 10], outage: true });
  for (const { requests } of models) expect(requests.completed).toBeGreaterThan(50);
});
