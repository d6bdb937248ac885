import type { Ms } from "../units.ts";
import type { Counted, LimitName, Limits, RateLimitName } from "./limits.ts";

/** What becomes of a request that is over its share of the capacity. `queue`: it waits for its turn, within the bounds of the queue. `reject`: 429 at once. */
export type AdmissionMode = "reject" | "queue";

/** Everything of a deployment's configuration that decides who gets how much. A `DeploymentConfig` is one. */
export interface PolicySource {
  /** The default policy. */
  readonly limits: Limits;
  /** By name of consumer or group. */
  readonly exceptions: ReadonlyMap<string, Limits>;
  /** Guaranteed fractions of the capacity, by name of consumer or group. */
  readonly reservations: ReadonlyMap<string, number>;
  readonly mode: AdmissionMode;
  /** In place of `mode`, by name of consumer or group. */
  readonly modes: ReadonlyMap<string, AdmissionMode>;
}

/** Who asks. A `ConsumerConfig` is one. */
export interface PolicyHolder {
  readonly name: string;
  /** Its groups, the most important first. */
  readonly groups: readonly string[];
}

/** Where a value of a policy comes from. */
export type ValueSource =
  | { readonly kind: "default" }
  | { readonly kind: "exception"; readonly of: "consumer" | "group"; readonly name: string };

/** One limit of one consumer, with its value. */
export interface EffectiveLimit {
  readonly name: LimitName;
  /** Requests or tokens; 0 blocks. */
  readonly value: number;
  readonly source: ValueSource;
}

/** A rate limit: at most `value` of what it counts in `windowMs`. */
export interface EffectiveRate extends EffectiveLimit {
  readonly name: RateLimitName;
  readonly counted: Counted;
  readonly windowMs: Ms;
}

/**
 * What holds for one consumer at one deployment. The member of the share is the consumer itself: a group's exception
 * gives each of its members counters of its own, a group's reservation is shared.
 */
export interface EffectivePolicy {
  /** The longest input of one request. `undefined`: any. */
  readonly inputTokens: EffectiveLimit | undefined;
  /** `undefined`: as many as there are seats. */
  readonly concurrentRequests: EffectiveLimit | undefined;
  /** In the order of `RATE_LIMITS`: those on requests before those on tokens. */
  readonly rates: readonly EffectiveRate[];
  /** Whether the rates are exact logs. */
  readonly strict: boolean;
  /** The reservation that it draws on, or `POOL`. */
  readonly share: string;
  readonly mode: AdmissionMode;
}
