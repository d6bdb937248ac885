import { POOL, type SharesConfig } from "./types.ts";

/** One grain: a request gets in when there is room for this much of it, and is charged in full. One request, or one token. */
export const GRAIN = 1;

/** The least part of the capacity that the pool has, before all parts are made to add up to 1. */
const LEAST_POOL = 0.001;

/** What the members of a group may take together, in seconds of the group's own rate. */
const GROUP_CAP_SECONDS = 30;

/**
 * Bursts hold at least so many requests. A share with a tiny weight may borrow the whole capacity, and a bucket of one
 * request would overflow between two arrivals.
 */
const LEAST_BURST_IN_REQUESTS = 4;

/** Buckets are larger by this part, so that four requests fit into a bucket of four whatever the rounding. */
export const ROUNDING = 1e-10;

/** What the configuration means for one share, in units. */
export interface SharePlan {
  readonly name: string;
  /** Its part of the capacity; all parts together are 1. */
  readonly weight: number;
  /** b_i: the size of its bucket. */
  readonly burst: number;
  /** H_i: up to where a member without deficit still gets one grain. The burst, where it is larger. */
  readonly cap: number;
  readonly isGroup: boolean;
}

/** Weights, bursts and caps of the reservations, in their order, and of the pool, which is last. */
export function planShares(config: SharesConfig): readonly SharePlan[] {
  const reserved = config.reservations.reduce((sum, { fraction }) => sum + fraction, 0);
  const pool = Math.max(1 - reserved, LEAST_POOL);
  return [...config.reservations, { name: POOL, fraction: pool, group: true }].map(({ name, fraction, group }) => {
    const weight = fraction / (reserved + pool);
    const burst = sizeOf(config, weight, config.burstSeconds);
    const cap = Math.max(burst, sizeOf(config, weight, GROUP_CAP_SECONDS));
    return { name, weight, burst, cap, isGroup: group };
  });
}

function sizeOf(config: SharesConfig, weight: number, seconds: number): number {
  const least = LEAST_BURST_IN_REQUESTS * Math.max(config.typicalCost, GRAIN);
  return Math.max(least, (weight * config.unitsPerMinute * seconds) / 60) * (1 + ROUNDING);
}
