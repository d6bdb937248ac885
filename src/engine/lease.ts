import type { Ticket } from "../core/dispatch/types.ts";
import type { Ending } from "../core/outcome.ts";
import type { Ms } from "../core/units.ts";

/**
 * What a request holds while it occupies a seat. Whoever holds it settles it once, with the ending's name, when the
 * backend's side of the request is over. Settling again is harmless and counted. Disposing it unsettled is `abandoned`.
 */
export interface Lease extends Disposable {
  /** How long the request waited for its seat. */
  readonly waitedMs: Ms;
  readonly settled: boolean;
  /** Gives the seat back. True the first time. */
  settle(ending: Ending): boolean;
}

/** Takes seats back. Only the gate that handed out the lease. */
export interface LeaseOwner<T> {
  /** The first settlement: frees the seat. */
  release(ticket: Ticket<T>, ending: Ending): void;
  /** Any later one: changes nothing, and is counted. */
  settledAgain(): void;
}

/** The lease on one seat. */
export class SeatLease<T> implements Lease {
  readonly waitedMs: Ms;
  readonly #owner: LeaseOwner<T>;
  readonly #ticket: Ticket<T>;
  #settled = false;

  constructor(owner: LeaseOwner<T>, ticket: Ticket<T>) {
    this.#owner = owner;
    this.#ticket = ticket;
    this.waitedMs = ticket.startedAt - ticket.offeredAt;
  }

  get settled(): boolean {
    return this.#settled;
  }

  settle(ending: Ending): boolean {
    if (this.#settled) {
      this.#owner.settledAgain();
      return false;
    }
    this.#settled = true;
    this.#owner.release(this.#ticket, ending);
    return true;
  }

  [Symbol.dispose](): void {
    if (!this.#settled) this.settle("abandoned");
  }
}
