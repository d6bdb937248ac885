import type { ConsumerKind, KeyConfig } from "../../config/types.ts";
import type { LimitName } from "../../core/policy/limits.ts";
import type { AdmissionMode, ValueSource } from "../../core/policy/types.ts";
import type { EpochMs } from "../../core/units.ts";
import type { ShareRate } from "../allotment-stats.ts";
import type { Traffic } from "../traffic.ts";

/** One row of `GET /api/v1/consumers`. */
export interface ConsumerSummary extends Traffic {
  readonly name: string;
  /** `address`: a remote address, where the gate is open. */
  readonly kind: ConsumerKind | "address";
  readonly enabled: boolean;
  readonly groups: readonly string[];
  /** How many keys it has. */
  readonly keys: number;
}

/** `GET /api/v1/consumers/NAME`: its effective policy, what of it is used and what is left. */
export interface ConsumerReport extends Omit<ConsumerSummary, "keys"> {
  readonly keys: readonly KeyReport[];
  /** By name of deployment. */
  readonly deployments: Readonly<Record<string, ConsumerAtDeployment>>;
}

/** A key, as far as anybody may see it. */
export interface KeyReport {
  /** Enough to find its line in the file: the first 8 of 64 digits. */
  readonly sha256_prefix: string;
  /** ISO 8601, UTC; null for a key that does not expire. */
  readonly expires_at: string | null;
  readonly expired: boolean;
}

/** What one consumer may do at one deployment. */
export interface ConsumerAtDeployment extends Traffic {
  readonly allowed: boolean;
  readonly mode: AdmissionMode;
  /** Those that it has, in the order in which they are checked. */
  readonly limits: readonly LimitReport[];
  /** Null where the deployment has no capacity that could be shared. */
  readonly share: ShareReport | null;
}

/** One limit of the effective policy. */
export interface LimitReport {
  readonly name: LimitName;
  readonly value: number;
  /** The row of the file that the value comes from. */
  readonly source: ValueSource;
  /** Whether it is an exact log. Only rate limits can be. */
  readonly strict: boolean;
  /** In the unit of the limit. Null where nothing adds up: `input_tokens` is about each request alone. */
  readonly used: number | null;
  readonly left: number | null;
  /** Until all of it is left again if nothing more is used. Null where that is not a matter of time. */
  readonly resets_in_seconds: number | null;
}

/** The share of the capacity that a consumer draws from. */
export interface ShareReport {
  /** The consumer itself, one of its groups, or the unreserved pool. */
  readonly kind: "consumer" | "group" | "pool";
  /** `pool` for the unreserved pool. */
  readonly name: string;
  /** The fraction of capacity that is guaranteed to the share; for the pool, what the reservations leave. */
  readonly reservation: number;
  /** Null where the capacity has no such rate. */
  readonly requests: ShareRate | null;
  readonly tokens: ShareRate | null;
}

const SHOWN_DIGITS = 8;

/** Keys for people. The digest itself is not shown: nobody needs it, and it is what a stolen file would be searched for. */
export function keyReports(keys: readonly KeyConfig[], wall: EpochMs): readonly KeyReport[] {
  return keys.map(({ sha256, expiresAt }) => ({
    sha256_prefix: sha256.slice(0, SHOWN_DIGITS),
    expires_at: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
    expired: expiresAt !== undefined && expiresAt <= wall,
  }));
}
