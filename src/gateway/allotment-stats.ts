import type { MeterSnapshot, ShareSnapshot } from "../core/shares/types.ts";
import type { CapacitySnapshot } from "../engine/admission/types.ts";
import type { Allotment } from "./allotment.ts";

/** Limits and shares of one deployment, for `GET /proxy/stats` and the admin listener. */
export interface AllotmentStats {
  /** Consumers of which anything is remembered. */
  readonly consumers: number;
  readonly running: number;
  /** Requests that wait for their share of the capacity; those that wait for a seat are not among them. */
  readonly waiting: number;
  readonly max_waiting: number;
  readonly admitted: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Null where the capacity has no such rate. */
  readonly requests: CapacityStats | null;
  readonly tokens: CapacityStats | null;
}

/** The capacity in one unit. */
interface CapacityStats {
  /** Whether it is used above the threshold, so that everybody is held to their share. */
  readonly enforced: boolean;
  readonly shares: readonly ShareStats[];
}

interface ShareStats extends ShareRate {
  readonly name: string;
  /** The fraction of capacity that is guaranteed; for the pool, what the reservations leave. */
  readonly reservation: number;
  readonly active_members: number;
}

/** A share in one unit. */
export interface ShareRate {
  readonly floor_per_minute: number;
  /** What it gets at present: the floor, and what others leave of theirs. */
  readonly rate_per_minute: number;
  /** What it could take at once, of `burst` at most. Below 0: it owes that much. */
  readonly available: number;
  readonly burst: number;
}

export function allotmentStats({ admission }: Allotment): AllotmentStats {
  const { consumers, running, waiting, maxWaiting, admitted, refused, requests, tokens } = admission.snapshot();
  return {
    consumers,
    running,
    waiting,
    max_waiting: maxWaiting,
    admitted,
    refused: Object.fromEntries(Object.entries(refused)),
    requests: capacityStats(requests),
    tokens: capacityStats(tokens),
  };
}

function capacityStats(capacity: CapacitySnapshot | undefined): CapacityStats | null {
  if (capacity === undefined) return null;
  const { meter, shares }: { meter: MeterSnapshot; shares: readonly ShareSnapshot[] } = capacity;
  return { enforced: meter.enforced, shares: shares.map(shareStats) };
}

function shareStats(share: ShareSnapshot): ShareStats {
  return {
    name: share.name,
    reservation: reservationOf(share),
    ...shareRateOf(share),
    active_members: share.activeMembers,
  };
}

/** Without the last digits of a binary fraction. */
export function reservationOf({ fraction }: ShareSnapshot): number {
  return Math.round(fraction * 10_000) / 10_000;
}

export function shareRateOf(share: ShareSnapshot): ShareRate {
  return {
    floor_per_minute: round(share.floorPerMinute),
    rate_per_minute: round(share.ratePerMinute),
    available: round(share.burst - share.deficit),
    burst: round(share.burst),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
