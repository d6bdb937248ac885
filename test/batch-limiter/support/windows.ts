import type { Ms } from "../../../src/core/units.ts";

/** Something that was counted at an instant. */
export interface Counted {
  readonly at: Ms;
  readonly amount: number;
}

/** Sums of instants are no finer than this. */
const TOLERANCE: Ms = 1e-6;

/** The most in any half-open window of that length. Slow and obvious: a window begins at every count. */
export function mostInAnyWindow(counted: readonly Counted[], windowMs: Ms): number {
  const sums = counted.map(({ at: start }) =>
    counted
      .filter(({ at }) => at >= start && at < start + windowMs - TOLERANCE)
      .reduce((sum, { amount }) => sum + amount, 0),
  );
  return Math.max(0, ...sums);
}

/** Whether a bucket of `burst`, full at first, that fills at `amount` per window holds all of it. */
export function fitsBucket(
  counted: readonly Counted[],
  limit: { amount: number; windowMs: Ms; burst: number },
): boolean {
  const perMs = limit.amount / limit.windowMs;
  let level = limit.burst;
  let last = -Infinity;
  for (const { at, amount } of counted.toSorted((a, b) => a.at - b.at)) {
    level = Math.min(limit.burst, level + (at - last) * perMs) - amount;
    last = at;
    if (level < -1e-6) return false;
  }
  return true;
}
