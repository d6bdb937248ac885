import { heapIndexSlot, IndexedHeap } from "../../src/core/dispatch/heap.ts";
import { createRandom, type Random } from "../../src/core/random.ts";
import type { Ms } from "../../src/core/units.ts";

/** A client of a simulated deployment. */
export interface ClientSpec {
  readonly name: string;
  readonly share: string;
  /** Draws how long one request holds its seat. */
  readonly serviceMs: (random: Random) => Ms;
  readonly demand: Demand;
  /** Who pays for its request of that number; its own name if left out. */
  readonly member?: (ordinal: number) => string;
  /** When it begins to ask; 0 if left out. */
  readonly startsAt?: Ms;
}

/**
 * `backlog`: as many requests as given wait at any time. `poisson`: requests come by chance, on average every so often.
 * `loop`: as many callers as given, each of which asks again once its request is done. `at`: requests at given times.
 */
export type Demand =
  | { readonly kind: "backlog"; readonly waiting: number }
  | { readonly kind: "poisson"; readonly everyMs: Ms }
  | { readonly kind: "loop"; readonly callers: number }
  | { readonly kind: "at"; readonly times: readonly Ms[] };

export interface Job {
  readonly client: ClientSpec;
  readonly member: string;
  readonly serviceMs: Ms;
  readonly arrivedAt: Ms;
}

/** What decides who starts. It is told of everything and asked for the next one whenever a seat may be free. */
export interface Policy {
  offer(job: Job, now: Ms): void;
  next(now: Ms): Job | undefined;
  complete(job: Job, now: Ms): void;
}

export interface Scenario {
  readonly seats: number;
  readonly clients: readonly ClientSpec[];
  readonly warmUpMs: Ms;
  readonly endMs: Ms;
  readonly seed: number;
}

/** What one client got between warm-up and end. */
export interface ClientReport {
  /** Part of all seat time. */
  readonly share: number;
  /** Waiting times of the requests that started, ascending. */
  readonly waits: readonly Ms[];
  /** When each of its requests started, warm-up included. */
  readonly starts: readonly Ms[];
  /** When each of its requests left its seat, warm-up included. */
  readonly ends: readonly Ms[];
}

interface Event {
  readonly at: Ms;
  readonly order: number;
  readonly run: () => void;
  heapIndex: number;
}

class Tally {
  asked = 0;
  seatMs: Ms = 0;
  readonly waits: Ms[] = [];
  readonly starts: Ms[] = [];
  readonly ends: Ms[] = [];
}

/** Runs a scenario on virtual time. The same scenario and seed give the same arrivals and services under every policy. */
export function simulate(scenario: Scenario, policy: Policy): Map<string, ClientReport> {
  const simulation = new Simulation(scenario, policy);
  simulation.run();
  return simulation.report();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #policy: Policy;
  readonly #events = new IndexedHeap<Event>(
    (a, b) => a.at < b.at || (a.at === b.at && a.order < b.order),
    heapIndexSlot,
  );
  readonly #tallies = new Map<ClientSpec, Tally>();
  readonly #streams = new Map<ClientSpec, Random>();
  #now: Ms = 0;
  #order = 0;

  constructor(scenario: Scenario, policy: Policy) {
    this.#scenario = scenario;
    this.#policy = policy;
    for (const [index, client] of scenario.clients.entries()) {
      this.#tallies.set(client, new Tally());
      this.#streams.set(client, createRandom(scenario.seed * 1000 + index));
      this.#at(client.startsAt ?? 0, () => this.#begin(client));
    }
  }

  run(): void {
    for (let event = this.#events.pop(); event !== undefined; event = this.#events.pop()) {
      if (event.at > this.#scenario.endMs) break;
      this.#now = event.at;
      event.run();
      if (this.#events.peek()?.at !== this.#now) this.#dispatch();
    }
  }

  report(): Map<string, ClientReport> {
    const { seats, warmUpMs, endMs } = this.#scenario;
    const total = seats * (endMs - warmUpMs);
    const reports = new Map<string, ClientReport>();
    for (const [client, { seatMs, waits, starts, ends }] of this.#tallies) {
      const sorted = waits.toSorted((a, b) => a - b);
      reports.set(client.name, { share: seatMs / total, waits: sorted, starts, ends });
    }
    return reports;
  }

  #begin(client: ClientSpec): void {
    const { demand } = client;
    switch (demand.kind) {
      case "backlog":
        for (let count = 0; count < demand.waiting; count += 1) this.#ask(client);
        return;
      case "loop":
        for (let count = 0; count < demand.callers; count += 1) this.#ask(client);
        return;
      case "poisson":
        this.#askByChance(client, demand.everyMs);
        return;
      case "at":
        for (const time of demand.times) this.#at(time, () => this.#ask(client));
    }
  }

  #askByChance(client: ClientSpec, everyMs: Ms): void {
    this.#at(this.#now - everyMs * Math.log(1 - this.#random(client)()), () => {
      this.#ask(client);
      this.#askByChance(client, everyMs);
    });
  }

  #ask(client: ClientSpec): void {
    const tally = this.#tally(client);
    const member = client.member?.(tally.asked) ?? client.name;
    tally.asked += 1;
    const serviceMs = client.serviceMs(this.#random(client));
    this.#policy.offer({ client, member, serviceMs, arrivedAt: this.#now }, this.#now);
  }

  #dispatch(): void {
    for (let job = this.#policy.next(this.#now); job !== undefined; job = this.#policy.next(this.#now))
      this.#start(job);
  }

  #start(job: Job): void {
    const { client, serviceMs, arrivedAt } = job;
    const { warmUpMs, endMs } = this.#scenario;
    const tally = this.#tally(client);
    const start = this.#now;
    tally.starts.push(start);
    if (start >= warmUpMs) tally.waits.push(start - arrivedAt);
    tally.seatMs += Math.max(0, Math.min(start + serviceMs, endMs) - Math.max(start, warmUpMs));
    this.#at(start + serviceMs, () => {
      tally.ends.push(this.#now);
      this.#policy.complete(job, this.#now);
      if (client.demand.kind === "loop") this.#ask(client);
    });
    if (client.demand.kind === "backlog") this.#ask(client);
  }

  #at(at: Ms, run: () => void): void {
    this.#order += 1;
    this.#events.push({ at, order: this.#order, run, heapIndex: -1 });
  }

  #tally(client: ClientSpec): Tally {
    const tally = this.#tallies.get(client);
    if (tally === undefined) throw new Error(`no client ${client.name}`);
    return tally;
  }

  #random(client: ClientSpec): Random {
    const random = this.#streams.get(client);
    if (random === undefined) throw new Error(`no client ${client.name}`);
    return random;
  }
}

/** The value below which the given part of ascending values lies; NaN of none. */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

/** How many requests of a client are in seats at an instant. */
export function runningAt(report: ClientReport, at: Ms): number {
  const begun = report.starts.filter((start) => start <= at).length;
  return begun - report.ends.filter((end) => end <= at).length;
}
