import { POOL, type Reservation, type SharesConfig } from "./types.ts";

/** Sums of fractions such as 0.7 + 0.2 + 0.1 may miss 1 by this much. */
const SUM_TOLERANCE = 1e-9;

/** Throws RangeError, with the rule and the value, for a configuration that cannot be kept. */
export function checkConfig(config: SharesConfig): void {
  const { utilizationThreshold: threshold } = config;
  check(isPositive(config.unitsPerMinute), "unitsPerMinute must be a finite number above 0", config.unitsPerMinute);
  check(threshold > 0 && threshold <= 1, "utilizationThreshold must be above 0 and at most 1", threshold);
  check(isAmount(config.burstSeconds), "burstSeconds must be a finite number, 0 or more", config.burstSeconds);
  check(isAmount(config.meterSeconds), "meterSeconds must be a finite number, 0 or more", config.meterSeconds);
  check(isPositive(config.typicalCost), "typicalCost must be a finite number above 0", config.typicalCost);
  checkReservations(config.reservations);
}

/** NaN or Infinity in one request would spoil the sums for all later ones. */
export function checkCost(cost: number): void {
  check(isAmount(cost), "cost must be a finite number, 0 or more", cost);
}

export function checkDelta(delta: number): void {
  check(Number.isFinite(delta), "delta must be a finite number", delta);
}

function checkReservations(reservations: readonly Reservation[]): void {
  const names = new Set<string>([POOL]);
  let sum = 0;
  for (const { name, fraction } of reservations) {
    check(isPositive(fraction), `the fraction of reservation ${JSON.stringify(name)} must be above 0`, fraction);
    check(!names.has(name), `the names of reservations must differ and not be "${POOL}"`, JSON.stringify(name));
    names.add(name);
    sum += fraction;
  }
  check(sum <= 1 + SUM_TOLERANCE, "all reservations together must be at most 1", sum);
}

function check(holds: boolean, rule: string, value: number | string): void {
  if (!holds) throw new RangeError(`${rule}, got ${value}`);
}

function isPositive(value: number): boolean {
  return value > 0 && value < Infinity;
}

function isAmount(value: number): boolean {
  return value >= 0 && value < Infinity;
}
