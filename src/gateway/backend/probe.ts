import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";
import type { Backend } from "./backend.ts";
import type { Fleet } from "./fleet.ts";
import { fetchSmall } from "./fetch-small.ts";
import { evidenceOf } from "./health.ts";

export interface ProbeOptions {
  readonly clock: Clock;
  /** Between probes of a healthy backend; 0 never probes those. */
  readonly intervalMs: Ms;
  readonly timeoutMs: Ms;
}

/**
 * Asks each backend for `/health` from time to time: healthy ones at a steady interval, ejected ones after their
 * back-off. Any answer below 500 counts as alive, since not every server has that path. A probe that merely takes too
 * long proves nothing about a busy server, and is not held against a healthy one.
 */
export class Prober {
  readonly #fleet: Fleet;
  readonly #options: ProbeOptions;
  readonly #timers = new Map<Backend, Cancel>();
  #stopped = false;

  constructor(fleet: Fleet, options: ProbeOptions) {
    this.#fleet = fleet;
    this.#options = options;
  }

  start(): void {
    for (const backend of this.#fleet.backends) this.#plan(backend);
  }

  /** A backend was ejected or came back: its next probe is due after its back-off, or at the steady interval. */
  replan(backend: Backend): void {
    this.#plan(backend);
  }

  /** The fleet has other backends. */
  restart(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.start();
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #plan(backend: Backend): void {
    this.#timers.get(backend)?.();
    this.#timers.delete(backend);
    if (!this.#fleet.backends.includes(backend)) return;
    const delay = backend.health.ejected ? backend.health.backoffMs : this.#options.intervalMs;
    if (this.#stopped || delay === 0) return;
    this.#timers.set(
      backend,
      this.#options.clock.after(delay, () => this.#probe(backend)),
    );
  }

  #probe(backend: Backend): void {
    const { clock, timeoutMs } = this.#options;
    fetchSmall(backend, { path: "/health", clock, timeoutMs }, (answer) => {
      if (this.#stopped) return;
      if (answer.kind === "answer" && evidenceOf(answer.status) === "answered") this.#fleet.readmit(backend);
      else if (backend.health.ejected) backend.health.probeFailed();
      else if (answer.kind === "answer") this.#fleet.note(backend, "server_error");
      else if (answer.kind === "failed") this.#fleet.note(backend, "unreachable");
      this.#plan(backend);
    });
  }
}
