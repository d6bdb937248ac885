import type { AdmissionVerdict, AdmissionWaiter, Charge } from "../../src/engine/admission/types.ts";
import type { Verdict, Waiter } from "../../src/engine/gate.ts";
import type { Lease } from "../../src/engine/lease.ts";
import type { Caller } from "../../src/gateway/auth/index.ts";

/** Hears how far a request has come. */
export interface PassageListener {
  /** It has its share, and asks for a seat next. */
  charged(passage: Passage): void;
  seated(passage: Passage): void;
  /** No share, or no room to wait for a seat. */
  refused(passage: Passage): void;
}

/** One request on its way through the decision. */
export class Passage implements Waiter {
  readonly caller: Caller;
  readonly #listener: PassageListener;
  #charge: Charge | undefined;
  #lease: Lease | undefined;

  constructor(caller: Caller, listener: PassageListener) {
    this.caller = caller;
    this.#listener = listener;
  }

  /** Hears of a share that it has waited for. */
  get forShare(): AdmissionWaiter {
    return { admitted: (charge) => this.#charged(charge), refused: () => this.#listener.refused(this) };
  }

  /** Acts on the answer about its share. True: it waits. */
  obey(verdict: AdmissionVerdict): boolean {
    if (verdict.kind === "admit") this.#charged(verdict.charge);
    if (verdict.kind === "refuse") this.#listener.refused(this);
    return verdict.kind === "wait";
  }

  /** Acts on the answer about its seat. */
  follow(verdict: Verdict): void {
    if (verdict.kind === "admit") this.admitted(verdict.lease);
    if (verdict.kind === "refuse") this.refused();
  }

  admitted(lease: Lease): void {
    this.#lease = lease;
    this.#listener.seated(this);
  }

  refused(): void {
    this.#charge?.settle("nothing");
    this.#listener.refused(this);
  }

  /** Whether it was refused a seat, and not its share. */
  get wasCharged(): boolean {
    return this.#charge !== undefined;
  }

  /** It used what was expected of it, and a little more or less. */
  end(input: number, output: number): void {
    this.#charge?.settle({ input, output });
    this.#lease?.settle("completed");
  }

  #charged(charge: Charge): void {
    this.#charge = charge;
    this.#listener.charged(this);
  }
}
