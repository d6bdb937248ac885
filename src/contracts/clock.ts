import type { EpochMs, Ms } from "../core/units.ts";

/** Ends a scheduled call that has not run yet. Calling it again, or after the call ran, does nothing. */
export type Cancel = () => void;

/** The only source of time outside `core`. */
export interface Clock {
  /** Monotonic milliseconds with a fraction. Only differences mean anything. */
  now(): Ms;
  /** Wall time, for people and headers. */
  wall(): EpochMs;
  /** Runs `run` once, at least `delay` milliseconds from now. */
  after(delay: Ms, run: () => void): Cancel;
}
