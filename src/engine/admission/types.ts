import type { Outcome } from "../../core/outcome.ts";
import type { LimitName } from "../../core/policy/limits.ts";
import type { EffectivePolicy } from "../../core/policy/types.ts";
import type { MeterSnapshot, SharesConfig, ShareSnapshot } from "../../core/shares/types.ts";
import type { Ms, Tokens } from "../../core/units.ts";

/** What one deployment shares out, and how. The limits come with each claim. Both units have the same reservations. */
export interface AdmissionConfig {
  /** Capacity in requests per minute; `undefined` where it is not limited. */
  readonly requestShares: SharesConfig | undefined;
  /** Capacity in tokens per minute. */
  readonly tokenShares: SharesConfig | undefined;
  /** `estimate`: tokens are charged from an estimate that is made true. `on_completion`: all at the end. */
  readonly charge: "estimate" | "on_completion";
  /** Requests that may wait for their share, all consumers together; 0 refuses them at once whatever their mode. */
  readonly maxWaiting: number;
}

/** One request that asks for what it will use. */
export interface Claim {
  /** The consumer: counters and the membership in a share go by this name. */
  readonly consumer: string;
  /** What holds for it now. After a reload that is another object, so it is looked up when the claim is made. */
  readonly policy: EffectivePolicy;
  readonly input: Tokens;
  /** Expected output. */
  readonly output: Tokens;
  /** When it must be admitted, on the monotonic clock. */
  readonly deadline: Ms;
}

/** What a request used in the end. */
export interface TokenUsage {
  readonly input: Tokens;
  readonly output: Tokens;
}

/** What an admitted request was charged. Whoever holds it settles it once; settling again is harmless and counted. */
export interface Charge {
  readonly settled: boolean;
  /** How long the request waited for its share. */
  readonly waitedMs: Ms;
  /** The answer has `output` tokens so far. What exceeds the estimate is charged at once. Cheap where it does not. */
  progress(output: Tokens): void;
  /** Makes the charge true: to what was used, or to `nothing` for a request that failed and produced nothing, or never ran. True the first time. */
  settle(usage: TokenUsage | "nothing"): boolean;
}

/** A request that waits for its share. */
export interface AdmissionPlace {
  /** The client has gone. False if the waiter has had its answer already. */
  leave(): boolean;
}

/** Who waits. Called from inside the admission, once, unless it left before; quick, and never throwing. */
export interface AdmissionWaiter {
  admitted(charge: Charge): void;
  refused(refusal: AdmissionRefusal): void;
}

/** The outcomes that admission can refuse with. */
export type AdmissionOutcome = Extract<
  Outcome,
  | "rate_limited"
  | "token_limited"
  | "concurrency_limited"
  | "capacity_reserved"
  | "input_too_long"
  | "queue_full"
  | "queue_timeout"
  | "draining"
  | "invalid_request"
>;

/** The rule that refused a request, as far as a message names it. */
export type RefusedRule =
  /** A limit of the consumer. `atOnce` is what it lets through at once. `used` counts towards `atOnce`. */
  | {
      readonly kind: "limit";
      readonly name: LimitName;
      readonly value: number;
      readonly atOnce: number;
      readonly used: number;
      readonly requested: number;
    }
  /** Its share of the capacity. `perMinute` is what the consumer gets of it at present. */
  | {
      readonly kind: "share";
      readonly share: string;
      readonly unit: "requests" | "tokens";
      readonly perMinute: number;
      readonly requested: number;
    }
  /** The bound on waiting requests. */
  | { readonly kind: "queue"; readonly waiting: number; readonly maxWaiting: number }
  /** None: the gate drains. */
  | { readonly kind: "none" };

/** Why a request was refused, and when to ask again. It has consumed nothing. */
export interface AdmissionRefusal {
  readonly kind: "refuse";
  readonly outcome: AdmissionOutcome;
  /** A rule that refused: limits before shares, and of several rates the one that has room the latest. */
  readonly rule: RefusedRule;
  /** When all rules that refused would let it pass; `Infinity` for never. */
  readonly retryAfterMs: Ms;
  /** How long it had waited. */
  readonly waitedMs: Ms;
}

/** The answer to one claim. On `wait` the waiter is told later, exactly once, unless it leaves before. */
export type AdmissionVerdict =
  | { readonly kind: "admit"; readonly charge: Charge }
  | { readonly kind: "wait"; readonly place: AdmissionPlace }
  | AdmissionRefusal;

/** How much of one limit is used. */
export interface LimitUsage {
  readonly name: LimitName;
  readonly limit: number;
  /** What it lets through at once when nothing is used. */
  readonly atOnce: number;
  readonly used: number;
  /** What could be taken at once; at least 0. */
  readonly left: number;
  /** Time until nothing is used any more, if nothing else is charged; 0 for a counter of running requests. */
  readonly resetsInMs: Ms;
}

/** The limits that leave the least, for headers. */
export interface Headroom {
  readonly requests: LimitUsage | undefined;
  readonly tokens: LimitUsage | undefined;
}

/** The capacity in one unit, and who has what of it. */
export interface CapacitySnapshot {
  readonly meter: MeterSnapshot;
  readonly shares: readonly ShareSnapshot[];
}

/** What admission counts. Plain numbers, read when somebody asks. */
export interface AdmissionSnapshot {
  /** Consumers of which anything is remembered. */
  readonly consumers: number;
  readonly running: number;
  readonly waiting: number;
  readonly maxWaiting: number;
  readonly admitted: number;
  readonly left: number;
  readonly refused: Readonly<Partial<Record<AdmissionOutcome, number>>>;
  /** Settlements of charges that were settled already: a bug of the holder, harmless here. */
  readonly lateSettlements: number;
  /** `undefined` where the capacity has no bound in that unit. */
  readonly requests: CapacitySnapshot | undefined;
  readonly tokens: CapacitySnapshot | undefined;
}
