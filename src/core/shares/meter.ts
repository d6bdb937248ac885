import type { Ms } from "../units.ts";
import { GRAIN, ROUNDING } from "./plan.ts";
import type { MeterSnapshot, SharesConfig } from "./types.ts";

/** For how long enforcement goes on once demand is back at the threshold. */
const HOLD_MS: Ms = 2_000;

/**
 * How much of the capacity has been in use lately: a bucket that fills with what is admitted and leaks at the threshold.
 * Above its size, utilisation has been over the threshold for long enough.
 */
export class Meter {
  readonly #leakPerMs: number;
  readonly #size: number;
  #level = 0;

  constructor(config: SharesConfig, level: number, missing: number) {
    this.#leakPerMs = (config.utilizationThreshold * config.unitsPerMinute) / 60_000;
    this.#size = this.#leakPerMs * config.meterSeconds * 1_000 * (1 + ROUNDING);
    this.add(level, missing);
  }

  get level(): number {
    return this.#level;
  }

  /** Whether utilisation is below the threshold, also with this request. */
  hasRoom(grain: number): boolean {
    return this.#size > 0 && this.#level + grain <= this.#size;
  }

  /**
   * `missing`: what the buckets lack at the end of this time; `fullMs`: for how long, up to then, they lacked nothing.
   * What they lack shrinks faster than the meter leaks, so that only these two moments matter.
   */
  advance(ms: Ms, fullMs: Ms, missing: number): void {
    const most = this.#most(missing) - this.#leakPerMs * fullMs;
    this.#level = Math.max(0, Math.min(most, this.#level - this.#leakPerMs * ms));
  }

  add(units: number, missing: number): void {
    this.#level = Math.max(0, Math.min(this.#most(missing), this.#level + units));
  }

  snapshot(): MeterSnapshot {
    return { level: this.#level, size: this.#size, enforced: !this.hasRoom(GRAIN) };
  }

  #most(missing: number): number {
    return this.#size === 0 ? 0 : this.#size + this.#leakPerMs * HOLD_MS + missing;
  }
}
