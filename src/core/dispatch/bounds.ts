import type { Bytes, Ms } from "../units.ts";
import type { Member, Share } from "./state.ts";

/** How much may wait. */
export interface WaitingBounds {
  readonly maxLength: number;
  readonly maxBytes: Bytes;
}

/** What waits in the whole queue. */
export interface WaitingTotals {
  readonly waiting: number;
  readonly waitingBytes: Bytes;
}

/** A request that asks to wait. Its member is undefined when nobody by that name is known. */
export interface Newcomer<T> {
  readonly share: Share<T>;
  readonly member: Member<T> | undefined;
  readonly bytes: Bytes;
}

/** The part of all seats that the newcomer's member can count on while everybody who waits now keeps waiting, itself included. */
export function fractionOf<T>(newcomer: Newcomer<T>, backlog: Iterable<Share<T>>): number {
  let weights = newcomer.share.backlog.size === 0 ? newcomer.share.weight : 0;
  for (const share of backlog) weights += share.weight;
  return newcomer.share.weight / weights / headcount(newcomer.share, newcomer);
}

/** Whether the newcomer would exceed a bound if `leaving` went first. */
export function overflows(bounds: WaitingBounds, totals: WaitingTotals, bytes: Bytes): boolean {
  return totals.waiting + 1 > bounds.maxLength || totals.waitingBytes + bytes > bounds.maxBytes;
}

/**
 * About the time until the newcomer finds a place if it comes back, when the queue frees one place per `turnMs`: one
 * place, or as many of average size as it lacks bytes.
 */
export function timeToPlaces(bounds: WaitingBounds, totals: WaitingTotals, bytes: Bytes, turnMs: Ms): Ms {
  const lacking = totals.waitingBytes + bytes - bounds.maxBytes;
  if (lacking <= 0 || totals.waiting === 0) return turnMs;
  const places = Math.ceil((lacking * totals.waiting) / totals.waitingBytes);
  return turnMs * Math.min(Math.max(places, 1), totals.waiting + 1);
}

/** The members of a share with something waiting, the newcomer's included if it is in that share. */
export function headcount<T>(share: Share<T>, newcomer: Newcomer<T>): number {
  const joins = newcomer.share === share && (newcomer.member === undefined || newcomer.member.queue.size === 0);
  return share.backlog.size + (joins ? 1 : 0);
}
