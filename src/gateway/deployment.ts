import type { DeploymentConfig } from "../config/types.ts";
import type { Clock } from "../contracts/clock.ts";
import type { Log } from "../contracts/log.ts";
import type { Ms } from "../core/units.ts";
import { Gate } from "../engine/gate.ts";
import { Backend } from "./backend/backend.ts";
import { Fleet } from "./backend/fleet.ts";
import { Prober } from "./backend/probe.ts";
import { OutcomeCounts } from "./outcome-counts.ts";

export interface DeploymentOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly probeIntervalMs: Ms;
  readonly abortGraceMs: Ms;
}

/** The share of everybody who has no reservation. */
export const POOL = "pool";

/** What a request is taken to cost before one has been seen. */
const FIRST_ESTIMATE_MS: Ms = 1_000;

/** The room in front of the unseated lane: short, since what goes there is quick. */
const LANE = { maxWaitMs: 30_000, lengthPerPlace: 16, maxBytes: 67_108_864 };

const PROBE_TIMEOUT_MS: Ms = 5_000;

/** One deployment at work: its gate, its backends, its counts. */
export class Deployment {
  readonly config: DeploymentConfig;
  /** In front of the seats. */
  readonly gate: Gate;
  /** In front of requests that take no seat; a small cap of their own. */
  readonly lane: Gate;
  readonly fleet: Fleet;
  readonly outcomes: OutcomeCounts = new OutcomeCounts();
  readonly #prober: Prober;

  constructor(config: DeploymentConfig, options: DeploymentOptions) {
    const { clock, log, abortGraceMs, probeIntervalMs } = options;
    this.config = config;
    const connections = { clock, abortGraceMs, connectMs: config.timeouts.connectMs };
    const backends = config.backends.map((backend) => new Backend(backend, config.maxConcurrent, connections));
    this.fleet = new Fleet(backends, log, (backend) => this.#fleetChanged(backend));
    const shares = [{ name: POOL, weight: 1 }];
    const common = { initialEstimateMs: FIRST_ESTIMATE_MS, shares };
    this.gate = new Gate(
      {
        ...common,
        seats: Math.min(config.maxConcurrent, this.fleet.seats),
        maxInflightTokens: config.maxInflightTokens,
        maxLength: config.queue?.maxLength ?? 0,
        maxBytes: config.queue?.maxBytes ?? 0,
      },
      clock,
    );
    this.lane = new Gate(
      {
        ...common,
        seats: Math.max(1, config.maxUnseated),
        maxInflightTokens: Infinity,
        maxLength: config.maxUnseated * LANE.lengthPerPlace,
        maxBytes: LANE.maxBytes,
      },
      clock,
    );
    // A gate has a seat to begin with; without one, and without room to wait, it refuses all.
    this.lane.setSeats(config.maxUnseated);
    this.#prober = new Prober(this.fleet, { clock, intervalMs: probeIntervalMs, timeoutMs: PROBE_TIMEOUT_MS });
  }

  /** How long a request may wait in front of the gate or of the lane. */
  maxWaitMs(seat: boolean): Ms {
    return seat ? (this.config.queue?.maxWaitMs ?? 0) : LANE.maxWaitMs;
  }

  start(): void {
    this.#prober.start();
  }

  /** Lets nobody in any more; `done` is called when nobody is inside. */
  drain(done: () => void): void {
    this.#prober.stop();
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
    if (backend.health.ejected) this.#reseat();
  }

  #reseat(): void {
    this.gate.setSeats(Math.min(this.config.maxConcurrent, this.fleet.seats));
  }

  #fleetChanged(backend: Backend): void {
    this.#prober.replan(backend);
    this.#reseat();
  }
}
