import type { Ms } from "../../../core/units.ts";

/** How a server counts. */
export type WindowKind =
  /** A window begins at the first request after the last one; refused requests count (slowapi, rate-limiter-flexible). */
  | { readonly kind: "first-hit" }
  /** Windows follow the clock; refused requests count. `phaseMs` is where one begins. */
  | { readonly kind: "aligned"; readonly phaseMs: Ms }
  /** Every interval of the window's length, both ends included; refused requests do not count. */
  | { readonly kind: "sliding" }
  /** A bucket of `burst` that fills evenly. */
  | { readonly kind: "gcra"; readonly burst: number };

/** A rate limit of a server. */
export interface ServerLimit {
  readonly amount: number;
  readonly windowMs: Ms;
  readonly window: WindowKind;
}

/** One server's counting. Pure: time is an argument, and never falls. */
export interface RateChecker {
  /** A request arrives. Whether it is served; a refused one changes what the kind of window says it changes. */
  admit(now: Ms): boolean;
  /** Until it is worth coming back, as of the last arrival. */
  retryAfterMs(now: Ms): Ms;
}
