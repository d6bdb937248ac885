import type { DeploymentConfig } from "../config/types.ts";
import type { Clock } from "../contracts/clock.ts";
import type { Log } from "../contracts/log.ts";
import type { FairQueueBounds, ShareConfig } from "../core/dispatch/types.ts";
import { POOL } from "../core/shares/types.ts";
import type { Random } from "../core/random.ts";
import type { Ms } from "../core/units.ts";
import { Gate } from "../engine/gate.ts";
import { Allotment, isAllotted } from "./allotment.ts";
import type { Caller } from "./auth/index.ts";
import { Backend } from "./backend/backend.ts";
import { Fleet } from "./backend/fleet.ts";
import { Prober } from "./backend/probe.ts";
import { InputCounter } from "./input-counter.ts";
import { OutcomeCounts } from "./outcome-counts.ts";

export interface DeploymentOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly probeIntervalMs: Ms;
  readonly abortGraceMs: Ms;
  readonly random: Random;
}

/** What the pool weighs at least, though everything is reserved. */
const LEAST_POOL = 0.001;

/** What a request is taken to cost before one has been seen. */
const FIRST_ESTIMATE_MS: Ms = 1_000;

/** The room in front of the unseated lane: short, since what goes there is quick. */
const LANE = { maxWaitMs: 30_000, lengthPerPlace: 16, maxBytes: 67_108_864 };

const LANE_SHARES: readonly ShareConfig[] = [{ name: POOL, weight: 1 }];

const PROBE_TIMEOUT_MS: Ms = 5_000;

/** One deployment at work: its gate, its backends, its counts. */
export class Deployment {
  /** In front of the seats. */
  readonly gate: Gate;
  /** In front of requests that take no seat; a small cap of their own. */
  readonly lane: Gate;
  readonly fleet: Fleet;
  readonly outcomes: OutcomeCounts = new OutcomeCounts();
  readonly #options: DeploymentOptions;
  readonly #prober: Prober;
  #config: DeploymentConfig;
  #allotment: Allotment | undefined;
  #inputCounter: InputCounter | undefined;
  #started = false;
  #heldElsewhere = 0;
  #left: (() => void) | undefined;

  constructor(config: DeploymentConfig, groups: ReadonlySet<string>, options: DeploymentOptions) {
    const { clock, log, probeIntervalMs } = options;
    this.#config = config;
    this.#allotment = isAllotted(config) ? new Allotment(config, groups, options) : undefined;
    this.#options = options;
    this.fleet = new Fleet(this.#backendsOf(config, []), log, (backend) => this.#fleetChanged(backend));
    this.#inputCounter = this.#counterOf(config);
    const seats = Math.min(config.maxConcurrent, this.fleet.seats);
    const common = { initialEstimateMs: FIRST_ESTIMATE_MS };
    this.gate = new Gate({ ...common, ...gateBounds(config), seats, shares: sharesOf(config) }, clock);
    this.lane = new Gate(
      { ...common, ...laneBounds(config), seats: Math.max(1, config.maxUnseated), shares: LANE_SHARES },
      clock,
    );
    // A gate has a seat to begin with; without one, and without room to wait, it refuses all.
    this.lane.setSeats(config.maxUnseated);
    this.#prober = new Prober(this.fleet, { clock, intervalMs: probeIntervalMs, timeoutMs: PROBE_TIMEOUT_MS });
  }

  get config(): DeploymentConfig {
    return this.#config;
  }

  /** Who gets how much. `undefined`: whoever finds a seat. */
  get allotment(): Allotment | undefined {
    return this.#allotment;
  }

  /** `undefined`: estimates have to do. */
  get inputCounter(): InputCounter | undefined {
    return this.#inputCounter;
  }

  /** Takes over another configuration. Requests in seats keep them, those that wait wait on, and counters go on. */
  reconfigure(config: DeploymentConfig, groups: ReadonlySet<string>): void {
    this.#config = config;
    if (this.#allotment !== undefined) this.#allotment.reconfigure(config, groups);
    else if (isAllotted(config)) this.#allotment = new Allotment(config, groups, this.#options);
    this.#inputCounter = this.#counterOf(config);
    this.fleet.replace(this.#backendsOf(config, this.fleet.known));
    if (this.#started) this.#prober.restart();
    this.gate.reconfigure(gateBounds(config), sharesOf(config));
    this.#reseat();
    this.lane.reconfigure(laneBounds(config), LANE_SHARES);
    this.lane.setSeats(config.maxUnseated);
  }

  /** Whether this consumer may use it; undefined is somebody without a key. */
  admits(caller: Caller | undefined): boolean {
    const { allowed } = this.#config;
    if (allowed === undefined) return true;
    return caller !== undefined && [caller.name, ...caller.groups].some((name) => allowed.has(name));
  }

  /** How long a request may wait in front of the gate or of the lane. */
  maxWaitMs(seat: boolean): Ms {
    return seat ? (this.config.queue?.maxWaitMs ?? 0) : LANE.maxWaitMs;
  }

  start(): void {
    this.#started = true;
    this.#prober.start();
  }

  /** Requests that are open at backends for deployments which are gone, by URL: they take seats until they are over. */
  hold(open: ReadonlyMap<string, number>): void {
    this.#heldElsewhere = 0;
    for (const backend of this.fleet.backends) {
      backend.heldElsewhere = open.get(backend.url) ?? 0;
      this.#heldElsewhere += backend.heldElsewhere;
    }
    this.#reseat();
  }

  /** Lets nobody in any more; `done` is called when nobody is inside, `left` whenever a request is over. */
  drain(done: () => void, left?: () => void): void {
    this.#left = left;
    this.#prober.stop();
    this.#allotment?.admission.drain();
    let open = 2;
    const idle = (): void => {
      open -= 1;
      if (open === 0) done();
    };
    for (const gate of [this.gate, this.lane]) {
      gate.drain();
      gate.whenIdle(idle);
    }
  }

  /** Closes every socket to the backends. */
  close(): void {
    this.#prober.stop();
    this.fleet.close();
  }

  /** A request is over at a backend, and has not given back its seat yet. */
  leftBackend(backend: Backend): void {
    if (this.fleet.left(backend) || backend.health.ejected) this.#reseat();
    this.#left?.();
  }

  /** Those that are known by their URL already stay, with what is known of them. */
  #backendsOf(config: DeploymentConfig, present: readonly Backend[]): readonly Backend[] {
    const { clock, abortGraceMs } = this.#options;
    const connections = { clock, abortGraceMs, connectMs: config.timeouts.connectMs };
    return config.backends.map((backend) => {
      const known = present.find(({ url }) => url === backend.url);
      known?.reconfigure(backend, config.maxConcurrent);
      return known ?? new Backend(backend, config.maxConcurrent, connections);
    });
  }

  #counterOf({ tokenizer }: DeploymentConfig): InputCounter | undefined {
    return tokenizer === undefined ? undefined : new InputCounter(tokenizer, this.fleet, this.#options.clock);
  }

  #reseat(): void {
    const seats = Math.max(0, this.config.maxConcurrent - this.#heldElsewhere);
    this.gate.setSeats(Math.min(seats, this.fleet.seats));
  }

  #fleetChanged(backend: Backend): void {
    this.#prober.replan(backend);
    this.#reseat();
  }
}

function gateBounds({ maxInflightTokens, queue }: DeploymentConfig): FairQueueBounds {
  return { maxInflightTokens, maxLength: queue?.maxLength ?? 0, maxBytes: queue?.maxBytes ?? 0 };
}

function laneBounds({ maxUnseated }: DeploymentConfig): FairQueueBounds {
  return { maxInflightTokens: Infinity, maxLength: maxUnseated * LANE.lengthPerPlace, maxBytes: LANE.maxBytes };
}

/** Reservations are the weights of the seats too, and the pool has what they leave. */
function sharesOf({ reservations }: DeploymentConfig): readonly ShareConfig[] {
  const shares = [...reservations].map(([name, weight]) => ({ name, weight }));
  const reserved = shares.reduce((sum, { weight }) => sum + weight, 0);
  return [{ name: POOL, weight: Math.max(1 - reserved, LEAST_POOL) }, ...shares];
}
