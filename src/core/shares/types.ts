import type { Ms } from "../units.ts";

/** A guaranteed part of the capacity. */
export interface Reservation {
  readonly name: string;
  /** Above 0; all reservations together at most 1. */
  readonly fraction: number;
  /** Whether members divide it among themselves (a group), or one consumer has it alone. */
  readonly group: boolean;
}

/** The capacity of one deployment in one unit (requests, or tokens), and who is guaranteed what of it. */
export interface SharesConfig {
  readonly unitsPerMinute: number;
  /** The part of capacity below which nobody is restricted; above 0, at most 1. */
  readonly utilizationThreshold: number;
  /** τ: what a share that was idle may take at once, in seconds of its own rate. */
  readonly burstSeconds: number;
  /** τ_m: the size of the utilisation meter, in seconds of capacity at the threshold; 0 for none. */
  readonly meterSeconds: number;
  /** What one request usually costs, in units: 1 for requests. Bursts hold at least four of these. */
  readonly typicalCost: number;
  readonly reservations: readonly Reservation[];
}

/** The share of everybody who has no reservation. Always there, always a group. */
export const POOL = "pool";

/**
 * What the shares say to one request. Nothing is charged yet.
 * `room`: its share has room. `unused`: it has not, but utilisation is below the threshold, so nobody is restricted.
 * `over`: admit at the earliest after `retryMs`, if the set of those that ask does not change.
 */
export type ShareVerdict =
  | { readonly kind: "room" }
  | { readonly kind: "unused" }
  | { readonly kind: "over"; readonly retryMs: Ms };

/** Why a request was let in. What is true of it later is told to the shares with the same word. */
export type Admission = Exclude<ShareVerdict["kind"], "over">;

/** One share, for people. */
export interface ShareSnapshot {
  readonly name: string;
  readonly fraction: number;
  /** Units per minute that it is guaranteed, and those that it gets at present, or would get if it asked. */
  readonly floorPerMinute: number;
  readonly ratePerMinute: number;
  /** Units that it could take at once. */
  readonly available: number;
  /** Units that it has taken and that have not flowed back yet. Above `burst` after a request larger than the room. */
  readonly deficit: number;
  readonly burst: number;
  /** Members that are not full. */
  readonly activeMembers: number;
}

/** The utilisation meter, for people: a bucket that fills with what is admitted and leaks at the threshold. */
export interface MeterSnapshot {
  readonly level: number;
  /** Shares are enforced while one more unit would not fit below it. 0 without a meter: then always. */
  readonly size: number;
  readonly enforced: boolean;
}
