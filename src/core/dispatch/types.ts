import type { Bytes, Ms, Tokens } from "../units.ts";

/** A share of the seats: a reservation, or the pool. `weight` > 0; only the ratios between weights matter. */
export interface ShareConfig {
  readonly name: string;
  readonly weight: number;
}

/** What may be in flight and may wait, seats aside. */
export interface FairQueueBounds {
  /** Tokens (input + expected output) that may be in flight at once; `Infinity` for no second cap. */
  readonly maxInflightTokens: Tokens;
  /** Requests that may wait; 0 refuses whatever cannot run at once. */
  readonly maxLength: number;
  /** Bytes of request bodies that may wait. */
  readonly maxBytes: Bytes;
}

/** The bounds of one deployment's queue. */
export interface FairQueueConfig extends FairQueueBounds {
  /** Requests that may run at once; at least 1. */
  readonly seats: number;
  /** What a request is taken to cost, in seat-milliseconds, before one has been seen. */
  readonly initialEstimateMs: Ms;
  /** The shares; the first is where members without a reservation go. */
  readonly shares: readonly ShareConfig[];
}

/** One request that asks for a seat. */
export interface Arrival<T> {
  readonly share: string;
  /** Who pays for it inside the share. */
  readonly member: string;
  /** Input + expected output tokens; 0 where tokens are not capped. */
  readonly tokens: Tokens;
  /** Bytes that it holds in memory while it waits. */
  readonly bytes: Bytes;
  /** How long it may wait from now on. */
  readonly patienceMs: Ms;
  readonly payload: T;
}

/** A request in the queue or in a seat. Handed out by `offer`; only the queue changes it. */
export interface Ticket<T> {
  readonly payload: T;
  readonly state: "waiting" | "running" | "gone";
  readonly tokens: Tokens;
  readonly bytes: Bytes;
  /** When it was offered. */
  readonly offeredAt: Ms;
  /** When it took its seat; 0 before. */
  readonly startedAt: Ms;
  /** Its member, for statistics. */
  readonly memberName: string;
}

/** What became of an offer. A refused arrival has changed nothing. */
export type Offer<T> =
  | {
      readonly kind: "queued";
      readonly ticket: Ticket<T>;
      /** Waiting requests of fatter members that had to leave to make room; empty but for a full queue. */
      readonly pushedOut: readonly Ticket<T>[];
    }
  /** The queue is full and the newcomer's member is as fat as any. */
  | { readonly kind: "full"; readonly predictedWaitMs: Ms }
  /** The member's own queue would make it wait longer than its patience. */
  | { readonly kind: "hopeless"; readonly predictedWaitMs: Ms };

/** One row of statistics. */
export interface MemberSnapshot {
  readonly share: string;
  readonly name: string;
  readonly waiting: number;
  readonly running: number;
  /** Learned mean cost of one request, in seat-milliseconds. */
  readonly estimateMs: Ms;
  /** Seat-milliseconds that it still owes for requests that took longer than estimated. */
  readonly debtMs: Ms;
}
