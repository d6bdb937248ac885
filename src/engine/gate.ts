import type { Clock } from "../contracts/clock.ts";
import { FairQueue } from "../core/dispatch/fair-queue.ts";
import type { FairQueueBounds, FairQueueConfig, MemberSnapshot, ShareConfig, Ticket } from "../core/dispatch/types.ts";
import type { Ending, Refusal } from "../core/outcome.ts";
import type { Bytes, Ms, Tokens } from "../core/units.ts";
import { Deadlines, type Perishable } from "./deadlines.ts";
import { type Lease, type LeaseOwner, SeatLease } from "./lease.ts";
import { type Percentiles, RecentSamples } from "./samples.ts";
import { Tallies, type Tally } from "./tallies.ts";

/** One request at the gate. */
export interface GateRequest {
  readonly share: string;
  readonly member: string;
  /** Input + expected output; 0 where tokens are not capped. */
  readonly tokens: Tokens;
  /** Bytes that it holds in memory while it waits. */
  readonly bytes: Bytes;
  /** When it must have a seat, on the monotonic clock. Counted from the moment the request arrived. */
  readonly deadline: Ms;
}

/** Why a request got no seat, and when to ask again. */
export interface Refused {
  readonly kind: "refuse";
  readonly outcome: Refusal;
  readonly retryAfterMs: Ms;
  /** How long it had waited. */
  readonly waitedMs: Ms;
}

/** The gate's answer to one request. On `wait` the waiter is told later, exactly once, unless it leaves before. */
export type Verdict =
  | { readonly kind: "admit"; readonly lease: Lease }
  | { readonly kind: "wait"; readonly place: Place }
  | Refused;

/** Who waits. Called from inside the gate: quick, and never throwing. */
export interface Waiter {
  admitted(lease: Lease): void;
  refused(refusal: Refused): void;
}

/** A place in the waiting room. */
export interface Place {
  /** The client has gone. False if the waiter has had its answer already. */
  leave(): boolean;
}

/** Seats, caps and bounds of one deployment, and the shares that its seats are divided into. */
export type GateConfig = FairQueueConfig;

/** How full the gate is. */
export interface GateOccupancy {
  readonly seats: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly maxWaiting: number;
}

/** What the gate counts. Plain numbers, read when somebody asks. */
export interface GateSnapshot extends GateOccupancy {
  readonly waitingBytes: Bytes;
  readonly tokensInFlight: Tokens;
  readonly maxInflightTokens: Tokens;
  readonly admitted: number;
  readonly left: number;
  readonly refused: Readonly<Partial<Record<Refusal, number>>>;
  readonly endings: Readonly<Partial<Record<Ending, number>>>;
  /** Settlements of leases that were settled already: a bug of the holder, harmless here. */
  readonly lateSettlements: number;
  readonly waitMs: Percentiles;
  /** Those with anything waiting, running or owed. */
  readonly members: readonly MemberSnapshot[];
  /** What members were given and refused, by name. */
  readonly tallies: ReadonlyMap<string, Readonly<Tally>>;
}

class WaitingPlace implements Place, Perishable {
  heapIndex = -1;
  ticket: Ticket<WaitingPlace> | undefined;
  /** `enter` has not returned yet: what becomes of the request is its verdict. */
  entering = true;
  /** The refusal that came meanwhile. */
  refusal: Refused | undefined;
  readonly deadline: Ms;
  readonly waiter: Waiter;
  readonly #gate: Gate;

  constructor(gate: Gate, waiter: Waiter, deadline: Ms) {
    this.#gate = gate;
    this.waiter = waiter;
    this.deadline = deadline;
  }

  leave(): boolean {
    return this.#gate.leave(this);
  }
}

/**
 * The seats of one deployment and the room in front of them.
 *
 * Everything here happens synchronously, so no two requests can take the same seat. A freed seat goes to exactly one
 * waiter, before the call that freed it returns. Nothing polls: the only timer stands at the earliest deadline.
 */
export class Gate implements LeaseOwner<WaitingPlace> {
  readonly #clock: Clock;
  readonly #queue: FairQueue<WaitingPlace>;
  #maxInflightTokens: Tokens;
  #maxWaiting: number;
  readonly #deadlines: Deadlines<WaitingPlace>;
  readonly #waits = new RecentSamples();
  readonly #refused: Partial<Record<Refusal, number>> = {};
  readonly #endings: Partial<Record<Ending, number>> = {};
  readonly #tallies = new Tallies();
  #admitted = 0;
  #left = 0;
  #lateSettlements = 0;
  #meanMs: Ms;
  #draining = false;
  #filling = false;
  #onIdle: (() => void)[] = [];

  constructor(config: GateConfig, clock: Clock) {
    this.#clock = clock;
    this.#queue = new FairQueue<WaitingPlace>(config);
    this.#maxInflightTokens = config.maxInflightTokens;
    this.#maxWaiting = config.maxLength;
    this.#meanMs = config.initialEstimateMs;
    this.#deadlines = new Deadlines(clock, (place) => this.#expire(place));
  }

  /** Asks for a seat. On `admit` the caller owns the lease; the waiter hears nothing then. */
  enter(request: GateRequest, waiter: Waiter): Verdict {
    if (this.#draining) return this.#refuse("draining", request.member, 1_000);
    const now = this.#clock.now();
    const place = new WaitingPlace(this, waiter, request.deadline);
    const patienceMs = Math.max(0, request.deadline - now);
    const { share, member, tokens, bytes } = request;
    const offer = this.#queue.offer({ share, member, tokens, bytes, patienceMs, payload: place }, now);
    if (offer.kind !== "queued") {
      // A guess that is missed by a hair: earlier than the next seat nothing will have changed.
      const nextSeatMs = this.#meanMs / Math.max(1, this.#queue.seats);
      return this.#refuse("queue_full", member, Math.max(offer.predictedWaitMs, nextSeatMs));
    }
    place.ticket = offer.ticket;
    if (offer.pushedOut.length > 0) this.#putOut(offer.pushedOut, now);
    const lease = this.#fill(now, place);
    place.entering = false;
    if (lease !== undefined) return { kind: "admit", lease };
    if (place.refusal !== undefined) return place.refusal;
    // Another waiter's callback has closed the gate.
    if (this.#draining && this.#queue.cancel(offer.ticket)) {
      this.#checkIdle();
      return this.#refuse("draining", member, 1_000);
    }
    this.#deadlines.add(place);
    return { kind: "wait", place };
  }

  /** Lets a waiting request go whose client has left. */
  leave(place: WaitingPlace): boolean {
    if (place.ticket === undefined || !this.#queue.cancel(place.ticket)) return false;
    this.#deadlines.remove(place);
    this.#left += 1;
    this.#fill(this.#clock.now());
    this.#checkIdle();
    return true;
  }

  release(ticket: Ticket<WaitingPlace>, ending: Ending): void {
    const now = this.#clock.now();
    this.#queue.complete(ticket, now);
    this.#endings[ending] = (this.#endings[ending] ?? 0) + 1;
    this.#meanMs = 0.9 * this.#meanMs + 0.1 * (now - ticket.startedAt);
    this.#fill(now);
    this.#checkIdle();
  }

  settledAgain(): void {
    this.#lateSettlements += 1;
  }

  /** Changes the seats; 0 lets nothing start, and those who wait wait on until their deadline. */
  setSeats(seats: number): void {
    if (seats === this.#queue.seats) return;
    this.#queue.setSeats(seats);
    this.#fill(this.#clock.now());
  }

  /** Takes over other bounds and shares. Who runs, runs on; who waits, waits on; who is behind or ahead, stays so. */
  reconfigure(bounds: FairQueueBounds, shares: readonly ShareConfig[]): void {
    this.#queue.setBounds(bounds);
    this.#queue.setShares(shares);
    this.#maxInflightTokens = bounds.maxInflightTokens;
    this.#maxWaiting = bounds.maxLength;
    this.#fill(this.#clock.now());
  }

  /** From now on refuses whoever comes, and at once whoever waits. Those in seats go on. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    const now = this.#clock.now();
    for (let place = this.#deadlines.first; place !== undefined; place = this.#deadlines.first) {
      this.#deadlines.remove(place);
      if (place.ticket !== undefined && this.#queue.cancel(place.ticket)) this.#turnAway(place.ticket, "draining", now);
    }
    this.#checkIdle();
  }

  /** Runs `run` once, as soon as nothing waits and no lease is out. */
  whenIdle(run: () => void): void {
    this.#onIdle.push(run);
    this.#checkIdle();
  }

  /** Counts a request that was refused before it came here. */
  noteRefused(member: string): void {
    this.#tallies.of(member).refused += 1;
  }

  /** The few numbers that a refusal names. */
  get occupancy(): GateOccupancy {
    const { seats, running, waiting } = this.#queue;
    return { seats, inFlight: running, waiting, maxWaiting: this.#maxWaiting };
  }

  /** Whether it would refuse anybody who came now, without a look at the request. */
  get refusesAll(): boolean {
    const { seats, running } = this.#queue;
    return this.#draining || (this.#maxWaiting === 0 && running >= seats);
  }

  snapshot(): GateSnapshot {
    const queue = this.#queue;
    return {
      ...this.occupancy,
      waitingBytes: queue.waitingBytes,
      tokensInFlight: queue.runningTokens,
      maxInflightTokens: this.#maxInflightTokens,
      admitted: this.#admitted,
      left: this.#left,
      refused: { ...this.#refused },
      endings: { ...this.#endings },
      lateSettlements: this.#lateSettlements,
      waitMs: this.#waits.percentiles(),
      members: [...queue.members()],
      tallies: new Map(this.#tallies.entries()),
    };
  }

  /**
   * Gives every free seat to the fairest waiter. Returns the lease of `own` where that one was chosen. A waiter that
   * settles on the spot frees its seat for the loop that is running already.
   */
  #fill(now: Ms, own?: WaitingPlace): Lease | undefined {
    if (this.#filling) return undefined;
    this.#filling = true;
    let ownLease: Lease | undefined;
    try {
      for (let ticket = this.#queue.next(now); ticket !== undefined; ticket = this.#queue.next(now)) {
        const place = ticket.payload;
        const lease = new SeatLease(this, ticket);
        this.#admitted += 1;
        this.#tallies.of(ticket.memberName).admitted += 1;
        this.#waits.add(lease.waitedMs);
        if (place === own) ownLease = lease;
        else {
          this.#deadlines.remove(place);
          place.waiter.admitted(lease);
        }
      }
    } finally {
      this.#filling = false;
    }
    return ownLease;
  }

  #expire(place: WaitingPlace): void {
    const { ticket } = place;
    if (ticket === undefined || !this.#queue.cancel(ticket)) return;
    const now = this.#clock.now();
    this.#turnAway(ticket, this.#queue.seats === 0 ? "no_backend" : "queue_timeout", now);
    this.#fill(now);
    this.#checkIdle();
  }

  /** Tells those who were put out of the queue. The seats that they free meanwhile are given out after them. */
  #putOut(tickets: readonly Ticket<WaitingPlace>[], now: Ms): void {
    const wasFilling = this.#filling;
    this.#filling = true;
    try {
      for (const ticket of tickets) this.#turnAway(ticket, "queue_full", now);
    } finally {
      this.#filling = wasFilling;
    }
  }

  #turnAway(ticket: Ticket<WaitingPlace>, outcome: Refusal, now: Ms): void {
    const place = ticket.payload;
    this.#deadlines.remove(place);
    const retryAfterMs = this.#meanMs / Math.max(1, this.#queue.seats);
    const refusal = this.#refuse(outcome, ticket.memberName, retryAfterMs, now - ticket.offeredAt);
    if (place.entering) place.refusal = refusal;
    else place.waiter.refused(refusal);
  }

  #refuse(outcome: Refusal, member: string, retryAfterMs: Ms, waitedMs: Ms = 0): Refused {
    this.#refused[outcome] = (this.#refused[outcome] ?? 0) + 1;
    this.#tallies.of(member).refused += 1;
    return { kind: "refuse", outcome, retryAfterMs, waitedMs };
  }

  #checkIdle(): void {
    if (this.#queue.running > 0 || this.#queue.waiting > 0 || this.#onIdle.length === 0) return;
    for (const run of this.#onIdle.splice(0)) run();
  }
}
