/*
 * THE LAW
 *
 * A server that says "60 of 100 left, full again in 24 s" does not say in which window it lets 100 through. One such answer
 * tells nothing: its limit may let only part of its amount out at once, and then "full" is less than the amount. Two answers
 * do: for each unit that is missing more, a limit that fills evenly takes window / amount longer, whatever its burst is.
 *
 * So a window is found where two pairs of answers in a row, which differ by some units, agree on one of the usual lengths.
 * Resets are rounded up, and what is left is rounded down: with a difference of four units, and a reset that is rounded to
 * whatever its server likes, at least two fifths of the true window come out, which is no shorter usual length. Where an
 * answer with less left is full no later than another, the limit does not fill evenly, and nothing is ever concluded.
 */
import type { Ms } from "../../core/units.ts";
import type { Dimension } from "../signals/types.ts";

const USUAL: readonly Ms[] = [1_000, 10_000, 60_000, 3_600_000, 86_400_000];

/** A usual length is meant by whatever is within this factor of it. */
const TOLERANCE = 2;

const LEAST_DIFFERENCE = 4;

interface Evidence {
  readonly limit: number;
  /** What the last answer said that was far enough from the one before. */
  remaining: number;
  resetMs: Ms;
  /** What the last pair said. */
  guess: Ms | undefined;
  found: Ms | undefined;
  isEven: boolean;
}

/** Finds the windows of limits whose window nobody tells, by what answers say of them. */
export class WindowFinder {
  readonly #evidence = new Map<string, Evidence>();

  /** Takes in what one more answer says of a limit. Returns its window once that is certain. */
  take({ id, limit, remaining, resetMs, refill }: Dimension): Ms | undefined {
    if (limit === undefined || remaining === undefined || resetMs === undefined || refill !== "gradual")
      return undefined;
    const known = this.#evidence.get(id);
    if (known === undefined || known.limit !== limit) {
      this.#evidence.set(id, { limit, remaining, resetMs, guess: undefined, found: undefined, isEven: true });
      return undefined;
    }
    if (known.isEven && Math.abs(remaining - known.remaining) >= LEAST_DIFFERENCE) compare(known, remaining, resetMs);
    return known.found;
  }
}

function compare(known: Evidence, remaining: number, resetMs: Ms): void {
  const missingMore = known.remaining - remaining;
  const laterMs = resetMs - known.resetMs;
  if (missingMore * laterMs < 0) {
    known.isEven = false;
    known.found = undefined;
    return;
  }
  // Both in one step of the server's rounding: too close to tell.
  if (laterMs === 0) return;
  const windowMs = (laterMs / missingMore) * known.limit;
  const guess = USUAL.find((usual) => windowMs >= usual / TOLERANCE && windowMs <= usual * TOLERANCE);
  if (guess !== undefined && guess === known.guess) known.found = guess;
  Object.assign(known, { remaining, resetMs, guess });
}
