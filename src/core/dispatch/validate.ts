import type { Arrival, FairQueueBounds, FairQueueConfig, ShareConfig } from "./types.ts";

/** Throws RangeError, with the rule and the value, for a configuration that cannot be kept. */
export function checkConfig(config: FairQueueConfig): void {
  checkSeats(config.seats, 1);
  checkBounds(config);
  check(
    isPositive(config.initialEstimateMs),
    "initialEstimateMs must be a finite number above 0",
    config.initialEstimateMs,
  );
  checkShares(config.shares);
}

export function checkBounds({ maxInflightTokens, maxLength, maxBytes }: FairQueueBounds): void {
  check(maxInflightTokens > 0, "maxInflightTokens must be above 0", maxInflightTokens);
  check(isWhole(maxLength) && maxLength >= 0, "maxLength must be a whole number, 0 or more", maxLength);
  check(maxBytes >= 0, "maxBytes must be 0 or more", maxBytes);
}

export function checkSeats(seats: number, least: number): void {
  check(isWhole(seats) && seats >= least, `seats must be a whole number, ${least} or more`, seats);
}

export function checkShares(shares: readonly ShareConfig[]): void {
  check(shares.length > 0, "shares must have at least one element", shares.length);
  const names = new Set<string>();
  for (const { name, weight } of shares) {
    check(isPositive(weight), `the weight of share ${JSON.stringify(name)} must be a finite number above 0`, weight);
    check(!names.has(name), "the names of shares must differ", JSON.stringify(name));
    names.add(name);
  }
}

/** NaN or Infinity in one request would spoil the sums for all later ones. */
export function checkArrival<T>({ tokens, bytes, patienceMs }: Arrival<T>): void {
  check(tokens >= 0 && tokens < Infinity, "tokens must be a finite number, 0 or more", tokens);
  check(bytes >= 0 && bytes < Infinity, "bytes must be a finite number, 0 or more", bytes);
  check(!Number.isNaN(patienceMs), "patienceMs must be a number", patienceMs);
}

function check(holds: boolean, rule: string, value: number | string): void {
  if (!holds) throw new RangeError(`${rule}, got ${value}`);
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value);
}

function isPositive(value: number): boolean {
  return value > 0 && value < Infinity;
}
