import { Agent } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";

import { createRandom } from "../../../src/core/random.ts";
import type { BackendConfig, Config } from "../../../src/config/index.ts";
import { simpleConfig } from "../../../src/config/index.ts";
import type { Cancel, Clock } from "../../../src/contracts/clock.ts";
import { systemClock } from "../../../src/engine/clock.ts";
import { createGateway, type ProxyStats } from "../../../src/gateway/index.ts";
import { createModelServer, type ModelServer } from "../../../src/lab/model/server.ts";
import { speedUp } from "../../../src/lab/model/speed.ts";
import { play, type Plan } from "./storm-client.ts";
import { complaintOf, drawPlan, referencePlans } from "./storm-plan.ts";
import { PortWatch } from "./storm-watch.ts";

export interface StormOptions {
  readonly seed: number;
  readonly requests: number;
  /** Connections at once. */
  readonly parallel: number;
  /** The cap of the whole deployment. */
  readonly maxConcurrent: number;
  /** The cap of each backend. */
  readonly backends: readonly number[];
  readonly onClientDisconnect: BackendConfig["onClientDisconnect"];
  /** The last backend is down from the first third of the requests to the second. */
  readonly outage?: boolean;
}

/** What is left after a storm, and what was seen in it. */
export interface StormReport {
  readonly stats: ProxyStats;
  /** What clients saw that they should not have. */
  readonly complaints: readonly string[];
  readonly models: readonly ReturnType<ModelServer["stats"]>[];
  /** Requests that the gate's HTTP parser saw. */
  readonly reached: number;
  /** Requests open at all backends together, at the most. */
  readonly maxOpen: number;
  /** Sockets at all backends together, at the most. */
  readonly maxBackendSockets: number;
  readonly left: {
    readonly gateSockets: number;
    readonly gateRequests: number;
    readonly backendSockets: number;
    readonly backendRequests: number;
    readonly gateTimers: number;
  };
}

/** Counts what is scheduled on a clock. */
class CountingClock implements Clock {
  readonly #inner: Clock;
  pending = 0;

  constructor(inner: Clock) {
    this.#inner = inner;
  }

  now(): number {
    return this.#inner.now();
  }

  wall(): number {
    return this.#inner.wall();
  }

  after(delay: number, run: () => void): Cancel {
    let live = true;
    const end = (): boolean => {
      const was = live;
      if (was) this.pending -= 1;
      live = false;
      return was;
    };
    this.pending += 1;
    const cancel = this.#inner.after(delay, () => {
      if (end()) run();
    });
    return () => {
      if (end()) cancel();
    };
  }
}

/** Ten times as fast as the clock on the wall: a stall lasts two seconds, an ejected backend is asked after 100 ms. */
const GATE_SPEED = 10;
const SILENCE_MS = 20_000;

/** Longer than any test may take: what a storm leaves behind makes the test fail, and is not cut off unseen. */
const FOREVER_MS = 1e9;

/** Starts models and a gate, lets the storm through, and stops everything. */
export async function storm(options: StormOptions): Promise<StormReport> {
  const { seed, requests, parallel, outage = false } = options;
  const models = options.backends.map(() => createModelServer({ preset: "nim-gpt-oss-20b", speed: 20, seed }));
  await Promise.all(models.map((model) => model.listen()));
  const modelPorts = models.map(({ port }) => port);
  const references = await referencesFrom(modelPorts[0] ?? 0);
  for (const model of models) model.reset();

  using backends = new PortWatch(() => modelPorts);
  const clock = new CountingClock(speedUp(systemClock, GATE_SPEED));
  const gateway = createGateway(configOf(options, modelPorts), { clock });
  const { port } = await gateway.listen();
  using gate = new PortWatch(() => [port]);

  const random = createRandom(seed);
  const plans = Array.from({ length: requests }, () => drawPlan(random));
  const complaints: string[] = [];
  // Half of the clients keep their connections for the next request.
  const agent = new Agent({ keepAlive: true });
  let next = 0;
  const down = models.at(-1);
  const client = async (): Promise<void> => {
    for (let index = next++; index < plans.length; index = next++) {
      const plan = plans[index];
      if (plan === undefined) return;
      if (outage && index === Math.floor(requests / 3)) await down?.close();
      if (outage && index === Math.floor((2 * requests) / 3)) await down?.listen(modelPorts.at(-1));
      const sight = await play(port, plan, index % 2 === 0 ? { agent } : {});
      const reference = references.get(JSON.stringify(plan.body)) ?? "";
      const complaint = complaintOf(plan, sight, { reference, outage });
      if (complaint !== undefined) complaints.push(`request ${index}: ${complaint}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, client));
  agent.destroy();
  // Every client has gone: what still runs ends by itself.
  await gateway.drain(FOREVER_MS);
  await Promise.all([gate.when(() => gate.sockets === 0), backends.when(() => backends.sockets === 0)]);
  const stats = gateway.stats();
  const modelStats = models.map((model) => model.stats());
  await Promise.all(models.map((model) => model.close()));
  // A listener counts as a resource until the end of the turn in which it is closed.
  for (let turn = 0; turn < 2; turn++) await nextTurn();
  return {
    stats,
    complaints,
    models: modelStats,
    reached: gate.requests,
    maxOpen: backends.maxOpen,
    maxBackendSockets: backends.maxSockets,
    left: {
      gateSockets: gate.sockets,
      gateRequests: gate.open,
      backendSockets: backends.sockets,
      backendRequests: backends.open,
      gateTimers: clock.pending,
    },
  };
}

/** The whole answer to every body that a storm can have, straight from a model. */
async function referencesFrom(port: number): Promise<ReadonlyMap<string, string>> {
  const answer = async (plan: Plan): Promise<[string, string]> => {
    const sight = await play(port, plan);
    if (sight.kind !== "answered" || !sight.whole) throw new Error(`no reference: ${JSON.stringify(sight)}`);
    return [JSON.stringify(plan.body), sight.text];
  };
  return new Map(await Promise.all(referencePlans().map(answer)));
}

function configOf({ maxConcurrent, backends, onClientDisconnect }: StormOptions, ports: readonly number[]): Config {
  const flags = { host: "127.0.0.1", port: 0, queueLength: 10_000, queueWaitMs: 86_400_000, maxConcurrent };
  const result = simpleConfig({ ...flags, backends: ports.map((port) => `http://127.0.0.1:${port}`) });
  if (result.kind === "invalid") throw new Error(JSON.stringify(result.problems));
  const deployments = result.config.deployments.map((deployment) => ({
    ...deployment,
    timeouts: { connectMs: 5_000, firstByteMs: SILENCE_MS, idleMs: SILENCE_MS },
    backends: deployment.backends.map((backend, index) => ({
      ...backend,
      maxConcurrent: backends[index] ?? maxConcurrent,
      onClientDisconnect,
    })),
  }));
  return { ...result.config, deployments };
}
