/** The file changes again and again while requests come without a pause, through the real process. */
import { expect, test } from "vitest";

import { type Answer, Client, configFile, type Gate, keysLine, serve, startModel } from "./serve-file-kit.ts";

/** What one version of the file says. */
interface Version {
  readonly seats: number;
  readonly backends: readonly number[];
  readonly cappedPerHour: number;
  readonly reserved: string;
  readonly perMinute: number;
  readonly newcomer: boolean;
}

const RELOADS = 20;
const ANSWERS_BETWEEN = 60;
const FREE_CLIENTS = 16;

/** A bucket of four, what the meter lets through beyond it, and what fills in a test of half a minute. 20 buckets are more. */
const MOST_FLOODED = 20;

test("a reload under load loses no request, resets no counter and leaks no lease", async () => {
  const models = [await startModel(), await startModel()];
  const [first = 0, second = 0] = models.map(({ port }) => port);
  const version = (reload: number): Version => ({
    seats: 8 + (reload % 3) * 8,
    backends: reload % 2 === 0 ? [first] : [first, second],
    // Raised once, and lowered below what was used by then.
    cappedPerHour: reload < 8 ? 60 : reload < 14 ? 80 : 70,
    reserved: reload % 4 === 0 ? "alice: 30%" : `alice: ${10 + reload}%, bob: 20%`,
    perMinute: 6 + (reload % 2) * 6,
    newcomer: reload >= 5,
  });
  const file = configFile(configText(version(0)));
  const gate = await serve(file);
  const load = new Load(gate);
  for (let count = 0; count < FREE_CLIENTS; count++) load.start(count % 2 === 0 ? "alice" : "bob", "free");
  for (let count = 0; count < 2; count++) load.start("capped", "free");
  for (let count = 0; count < 2; count++) load.start("flood", "scarce");

  const operator = new Client();
  await load.answered(ANSWERS_BETWEEN);
  for (let reload = 1; reload <= RELOADS; reload++) {
    const text = configText(version(reload));
    if (reload % 2 === 0) file.replace(text);
    else file.save(text);
    // Every fifth is found by the watch alone; the others do not wait for it.
    if (reload % 5 !== 0) await operator.send("POST", `${gate.admin}/api/v1/reload`);
    await gate.said(`applied version ${reload + 1}:`);
    if (reload === 5) load.start("newcomer", "free");
    await load.answered(ANSWERS_BETWEEN);
  }
  await load.stop();

  expect(load.lost).toEqual([]);
  for (const name of ["alice", "bob", "newcomer"]) expect(Object.keys(load.answersOf(name))).toEqual(["200"]);
  const capped = load.answersOf("capped");
  expect(Object.keys(capped).toSorted()).toEqual(["200", "429 rate_limited"]);
  expect(capped["200"]).toBe(80);
  const flood = load.answersOf("flood");
  expect(Object.keys(flood).toSorted()).toEqual(["200", "429 capacity_reserved"]);
  expect(flood["200"]).toBeLessThan(MOST_FLOODED);

  const good = load.total("200");
  const status = await operator.json(`${gate.admin}/api/v1/status`);
  expect(status).toMatchObject({
    in_flight: 0,
    waiting: 0,
    open: 0,
    buffered_bytes: 0,
    admitted: good,
    outcomes: { completed: good, rate_limited: capped["429 rate_limited"] },
    deployments: { free: { late_settlements: 0 }, scarce: { late_settlements: 0 } },
    configuration: { version: RELOADS + 1, rejected: null },
  });
  const atModels = models.map((model) => model.stats());
  expect(atModels.reduce((sum, { requests }) => sum + requests.completed, 0)).toBe(good);
  expect(atModels.every(({ requests, concurrent }) => requests.aborted === 0 && concurrent === 0)).toBe(true);
  // The counters, as operators read them, are those of the clients.
  expect(await operator.json(`${gate.admin}/api/v1/consumers/capped`)).toMatchObject({
    admitted: 80,
    refused: capped["429 rate_limited"],
    deployments: { free: { limits: [{ name: "requests_per_hour", value: 70, used: 80, left: 0 }] } },
  });
}, 120_000);

/** Clients that send the next request as soon as they have the answer to the last. */
class Load {
  readonly lost: string[] = [];
  readonly #gate: Gate;
  readonly #clients: Promise<void>[] = [];
  readonly #counts = new Map<string, Record<string, number>>();
  readonly #waiting = new Set<{ readonly at: number; readonly resolve: () => void }>();
  #answered = 0;
  #stopped = false;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  start(name: string, model: string): void {
    this.#clients.push(this.#run(name, model));
  }

  /** Resolves after so many more answers. */
  answered(more: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.add({ at: this.#answered + more, resolve }));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  /** How often it was answered what: by status, and outcome where the gate said one. */
  answersOf(name: string): Record<string, number> {
    return this.#counts.get(name) ?? {};
  }

  total(what: string): number {
    return [...this.#counts.values()].reduce((sum, counts) => sum + (counts[what] ?? 0), 0);
  }

  async #run(name: string, model: string): Promise<void> {
    const client = new Client();
    while (!this.#stopped) {
      try {
        this.#note(name, await client.chat(this.#gate, name, model));
      } catch (error) {
        this.lost.push(`${name}: ${String(error)}`);
        return;
      }
    }
  }

  #note(name: string, { status, outcome }: Answer): void {
    const counts = this.#counts.get(name) ?? {};
    const what = outcome === undefined ? `${status}` : `${status} ${outcome}`;
    counts[what] = (counts[what] ?? 0) + 1;
    this.#counts.set(name, counts);
    this.#answered += 1;
    for (const wait of this.#waiting) {
      if (wait.at > this.#answered) continue;
      this.#waiting.delete(wait);
      wait.resolve();
    }
  }
}

/** One deployment with room for all but a consumer with a strict limit, and one with a capacity of next to nothing. */
function configText({ seats, backends, cappedPerHour, reserved, perMinute, newcomer }: Version): string {
  const urls = backends.map((port) => `http://127.0.0.1:${port}`).join(", ");
  const names = ["alice", "bob", "capped", "flood", ...(newcomer ? ["newcomer"] : [])];
  return [
    "server: { port: 0, host: 127.0.0.1 }",
    "admin: { port: 0 }",
    "deployments:",
    "  free:",
    "    models: [free]",
    `    backends: [${urls}]`,
    `    max_concurrent: ${seats}`,
    "    queue: {}",
    "    capacity: { requests_per_minute: 1M, utilization_threshold: 80% }",
    `    exceptions: { capped: { requests_per_hour: ${cappedPerHour}, strict: true } }`,
    `    reservations: { ${reserved} }`,
    "  scarce:",
    "    models: [scarce]",
    `    backends: [${urls}]`,
    "    max_concurrent: 4",
    `    capacity: { requests_per_minute: ${perMinute}, utilization_threshold: 80% }`,
    "consumers:",
    ...names.map((name) => `  ${name}: { ${keysLine(name)} }`),
    "",
  ].join("\n");
}
