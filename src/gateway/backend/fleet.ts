import type { Log } from "../../contracts/log.ts";
import type { Backend } from "./backend.ts";
import type { Evidence } from "./health.ts";

/** The backends of one deployment: who is healthy, who is next, how many seats there are. */
export class Fleet {
  readonly backends: readonly Backend[];
  readonly #log: Log;
  readonly #changed: (backend: Backend) => void;

  /** `changed` is called when a backend was ejected or came back. */
  constructor(backends: readonly Backend[], log: Log, changed: (backend: Backend) => void) {
    this.backends = backends;
    this.#log = log;
    this.#changed = changed;
  }

  get healthy(): number {
    let count = 0;
    for (const backend of this.backends) if (!backend.health.ejected) count += 1;
    return count;
  }

  /**
   * Seats of the healthy backends together. As long as there is one, requests that still hang at an ejected backend add
   * those which they hold there, so that they take none of the others'.
   */
  get seats(): number {
    if (this.healthy === 0) return 0;
    let seats = 0;
    for (const backend of this.backends) seats += backend.health.ejected ? backend.inFlight : backend.seats;
    return seats;
  }

  /**
   * The healthy backend with the least in flight per seat, among equals the one that served least. Those without a free
   * seat of their own are left out where `seat` is asked for. Undefined: there is none.
   */
  pick(seat: boolean, except?: Backend): Backend | undefined {
    let best: Backend | undefined;
    for (const backend of this.backends) {
      if (backend === except || backend.health.ejected) continue;
      if (seat && backend.inFlight >= backend.seats) continue;
      if (best === undefined || isLighter(backend, best)) best = backend;
    }
    return best;
  }

  note(backend: Backend, evidence: Evidence): void {
    if (evidence !== "answered") backend.failures += 1;
    const isLast = this.healthy === 1 && !backend.health.ejected;
    if (backend.health.note(evidence, isLast)) this.#ejected(backend, evidence);
  }

  noteRefused(backend: Backend): void {
    backend.failures += 1;
    if (backend.health.noteRefused()) this.#ejected(backend, "connection refused");
  }

  readmit(backend: Backend): void {
    if (!backend.health.readmit()) return;
    this.#log.info("backend is back", { backend: backend.url });
    this.#changed(backend);
  }

  close(): void {
    for (const backend of this.backends) backend.pool.close();
  }

  #ejected(backend: Backend, why: string): void {
    this.#log.warn("backend ejected", { backend: backend.url, why, probe_in_ms: backend.health.backoffMs });
    this.#changed(backend);
  }
}

function isLighter(a: Backend, b: Backend): boolean {
  return a.load < b.load || (a.load === b.load && a.requests < b.requests);
}
