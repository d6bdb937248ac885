import type { Random } from "../../core/random.ts";
import type { Ms } from "../../core/units.ts";

const BASE_MS: Ms = 500;
const MOST_MS: Ms = 30_000;

/**
 * How long to wait before the attempt after this one, from 1: anything up to 0.5 s, 1 s, 2 s, … 30 s. Drawn over the whole
 * range, so that requests that failed together do not come back together ("full jitter", AWS Architecture Blog, 2015).
 */
export function backoff(attempt: number, random: Random): Ms {
  return random() * Math.min(MOST_MS, BASE_MS * 2 ** (attempt - 1));
}
