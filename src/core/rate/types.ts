import type { Ms } from "../units.ts";

/** One rate limit of one consumer: how much of it is used, and when there is room again. Amounts are requests or tokens. */
export interface Rate {
  /** Amount per window. 0 blocks. */
  readonly limit: number;
  /** What an unused limit lets through at once. */
  readonly burst: number;
  /** 0 if there is room for `cost`, else the time until there is if nothing else is charged; `Infinity` for never. Changes nothing that anybody can see. */
  check(cost: number, now: Ms): Ms;
  /** Takes `cost`, whether there is room for it or not. */
  charge(cost: number, now: Ms): void;
  /** What was charged at `chargedAt` was really `delta` more, or less. A refund makes at most as much room as the charge still takes up. */
  adjust(delta: number, now: Ms, chargedAt: Ms): void;
  /** What is taken up at present. */
  used(now: Ms): number;
  /** What could be taken at once; at least 0. */
  left(now: Ms): number;
  /** Time until nothing is taken up any more, if nothing else is charged. */
  resetsIn(now: Ms): Ms;
  /** Whether nothing is taken up: a fresh one would do as well. */
  isFull(now: Ms): boolean;
  /** Changes the limit. What was used stays used. */
  resize(limit: number, now: Ms): void;
}
