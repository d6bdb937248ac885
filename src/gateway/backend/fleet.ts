import type { Log } from "../../contracts/log.ts";
import type { Backend } from "./backend.ts";
import type { Evidence } from "./health.ts";

/** The backends of one deployment: who is healthy, who is next, how many seats there are. */
export class Fleet {
  #backends: readonly Backend[];
  /** Those that were taken out, until the fleet closes: requests may still be open there. */
  readonly #retired = new Set<Backend>();
  readonly #log: Log;
  readonly #changed: (backend: Backend) => void;

  /** `changed` is called when a backend was ejected or came back. */
  constructor(backends: readonly Backend[], log: Log, changed: (backend: Backend) => void) {
    this.#backends = backends;
    this.#log = log;
    this.#changed = changed;
  }

  get backends(): readonly Backend[] {
    return this.#backends;
  }

  /** Those of the list, and those taken out of it where requests are still open. */
  get known(): readonly Backend[] {
    return [...this.#backends, ...this.#retired];
  }

  /** Takes over another list. Those left out get no more requests, and may finish what they have. */
  replace(backends: readonly Backend[]): void {
    for (const backend of backends) if (this.#retired.delete(backend)) backend.pool.revive();
    for (const backend of this.#backends) {
      if (backends.includes(backend)) continue;
      backend.pool.retire();
      if (backend.inFlight > 0) this.#retired.add(backend);
    }
    this.#backends = backends;
  }

  /** A request is over there. True: it has been taken out, and its seats end with it. */
  left(backend: Backend): boolean {
    if (!this.#retired.has(backend)) return false;
    if (backend.inFlight === 0) this.#retired.delete(backend);
    return true;
  }

  get healthy(): number {
    let count = 0;
    for (const backend of this.backends) if (!backend.health.ejected) count += 1;
    return count;
  }

  /**
   * Seats of the healthy backends together. As long as there is one, requests that still hang at a backend which was
   * ejected or taken out add those which they hold there, so that they take none of the others'.
   */
  get seats(): number {
    if (this.healthy === 0) return 0;
    let seats = 0;
    for (const backend of this.backends) seats += backend.health.ejected ? backend.inFlight : freeOf(backend);
    for (const backend of this.#retired) seats += backend.inFlight;
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
      if (seat && backend.open >= backend.seats) continue;
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
    for (const backend of this.#retired) backend.pool.close();
  }

  #ejected(backend: Backend, why: string): void {
    this.#log.warn("backend ejected", { backend: backend.url, why, probe_in_ms: backend.health.backoffMs });
    this.#changed(backend);
  }
}

/** Seats that nobody else's requests take. */
function freeOf({ seats, heldElsewhere }: Backend): number {
  return Math.max(0, seats - heldElsewhere);
}

function isLighter(a: Backend, b: Backend): boolean {
  return a.load < b.load || (a.load === b.load && a.requests < b.requests);
}
