import { Fifo, type FifoLinks } from "../../core/dispatch/fifo.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { Perishable } from "../deadlines.ts";
import type { Account } from "./account.ts";
import type { AdmissionPlace, AdmissionWaiter, Claim } from "./types.ts";

/** A waiting request. It holds nothing but its place. */
export class WaitingPlace implements AdmissionPlace, Perishable, FifoLinks<WaitingPlace> {
  previous: WaitingPlace | undefined;
  next: WaitingPlace | undefined;
  heapIndex = -1;
  isWaiting = true;
  readonly line: Line;
  readonly claim: Claim;
  readonly waiter: AdmissionWaiter;
  readonly since: Ms;
  readonly #leave: (place: WaitingPlace) => boolean;

  constructor(line: Line, visit: Visit) {
    this.line = line;
    this.claim = visit.claim;
    this.waiter = visit.waiter;
    this.since = visit.now;
    this.#leave = visit.leave;
  }

  get deadline(): Ms {
    return this.claim.deadline;
  }

  leave(): boolean {
    return this.#leave(this);
  }
}

/** A request that comes to wait. */
export interface Visit {
  readonly claim: Claim;
  readonly waiter: AdmissionWaiter;
  readonly now: Ms;
  /** Takes it out again; false if it is not there any more. */
  readonly leave: (place: WaitingPlace) => boolean;
}

/** The waiting requests of one consumer, in the order in which they came. There is one as long as any wait. */
export class Line implements Perishable {
  readonly account: Account;
  readonly places: Fifo<WaitingPlace> = new Fifo<WaitingPlace>();
  /** Since when it has not been empty. */
  readonly since: Ms;
  /** Input and expected output of all of them. */
  tokens: Tokens = 0;
  /** When its head is looked at next. */
  deadline: Ms = Infinity;
  heapIndex = -1;
  /** Its heads are being let in, further up the stack. */
  isMoving = false;

  constructor(account: Account, since: Ms) {
    this.account = account;
    this.since = since;
  }
}
