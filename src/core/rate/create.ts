import type { Ms } from "../units.ts";
import { ExactLog } from "./exact-log.ts";
import { Gcra } from "./gcra.ts";
import type { Rate } from "./types.ts";

/** How one rate limit is counted. */
export interface RateKind {
  /** Amount per window; 0 blocks. */
  readonly limit: number;
  readonly windowMs: Ms;
  /** Whether it holds in every window exactly. */
  readonly strict: boolean;
}

/** A rate limit of which nothing is used. */
export function createRate({ limit, windowMs, strict }: RateKind): Rate {
  return strict ? new ExactLog(limit, windowMs) : new Gcra(limit, windowMs);
}
