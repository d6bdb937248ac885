import type { SharesConfig } from "../../src/core/shares/types.ts";
import type { Ms } from "../../src/core/units.ts";
import { SharesTwin } from "./shares-twin.ts";

/** The largest rise of `sum - rate * time` between any two of the notes. */
export class Excess {
  largest = 0;
  readonly #perMs: number;
  #sum = 0;
  #lowest = 0;

  constructor(perMs: number) {
    this.#perMs = perMs;
  }

  note(units: number, now: Ms): void {
    this.#lowest = Math.min(this.#lowest, this.#sum - this.#perMs * now);
    this.#sum += units;
    this.largest = Math.max(this.largest, this.#sum - this.#perMs * now - this.#lowest);
  }
}

/** C. */
export function perMs(config: SharesConfig): number {
  return config.unitsPerMinute / 60_000;
}

export function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}

/** B: what all buckets hold, a group's up to its cap. */
export function caps(config: SharesConfig): number {
  return sum(new SharesTwin(config).shares.map(({ group, burst, cap }) => (group ? cap : burst)));
}

/** D_θ. */
export function meterSize(config: SharesConfig): number {
  return perMs(config) * config.utilizationThreshold * config.meterSeconds * 1_000;
}
