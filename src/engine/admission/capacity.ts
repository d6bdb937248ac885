import { Shares } from "../../core/shares/shares.ts";
import { type Admission as LetIn, POOL, type SharesConfig } from "../../core/shares/types.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { AdmissionConfig, CapacitySnapshot, RefusedRule } from "./types.ts";

/** Room that comes sooner than this is there: added to years of uptime, less would be nothing, and never come. */
const TOLERANCE_MS: Ms = 1e-4;

/** One consumer's place in the shares. */
export interface Membership {
  readonly share: string;
  readonly member: string;
}

/** A request that was charged, and why it was let in. */
export interface Grant extends Membership {
  requestsLetIn: LetIn;
  tokensLetIn: LetIn;
}

/** A request in the units of the shares, or a change of one. */
export interface Amount {
  readonly requests: number;
  readonly tokens: Tokens;
}

/** The capacity of one deployment in requests, in tokens, in both, or without bound; and what each consumer may have of it. */
export class Capacity {
  #requests: Shares | undefined;
  #tokens: Shares | undefined;
  #names: ReadonlySet<string>;
  /** What the last `wait` was told, for the `charge` that follows it. */
  #requestsLetIn: LetIn = "room";
  #tokensLetIn: LetIn = "room";

  constructor(config: AdmissionConfig, now: Ms) {
    this.#names = namesOf(config);
    this.#requests = config.requestShares && new Shares(config.requestShares, now);
    this.#tokens = config.tokenShares && new Shares(config.tokenShares, now);
  }

  /** Whether it is configured. */
  has(share: string): boolean {
    return this.#names.has(share);
  }

  /** 0 if one request of `tokens` may be charged now, else the time until it may. */
  wait(of: Membership, tokens: Tokens, now: Ms): Ms {
    let wait = 0;
    if (this.#requests !== undefined) {
      const verdict = this.#requests.check(of.share, of.member, 1, now);
      if (verdict.kind === "over") wait = verdict.retryMs;
      this.#requestsLetIn = verdict.kind === "unused" ? "unused" : "room";
    }
    if (this.#tokens !== undefined) {
      const verdict = this.#tokens.check(of.share, of.member, tokens, now);
      if (verdict.kind === "over") wait = Math.max(wait, verdict.retryMs);
      this.#tokensLetIn = verdict.kind === "unused" ? "unused" : "room";
    }
    return wait > TOLERANCE_MS ? wait : 0;
  }

  /** Charges the request that `wait` has just said 0 to, and notes why it was let in. */
  charge(grant: Grant, tokens: Tokens, now: Ms): void {
    const { share, member } = grant;
    grant.requestsLetIn = this.#requestsLetIn;
    grant.tokensLetIn = this.#tokensLetIn;
    this.#requests?.charge(share, member, 1, now, grant.requestsLetIn);
    this.#tokens?.charge(share, member, tokens, now, grant.tokensLetIn);
  }

  /** Corrects what was charged. A share that is not configured any more has nothing to correct. */
  trueUp(grant: Grant, by: Amount, now: Ms): void {
    const { share, member } = grant;
    if (!this.has(share)) return;
    if (by.requests !== 0) this.#requests?.trueUp(share, member, by.requests, now, grant.requestsLetIn);
    if (by.tokens !== 0) this.#tokens?.trueUp(share, member, by.tokens, now, grant.tokensLetIn);
  }

  /** How long it takes to fill so much for one member, at present rates. */
  timeFor(of: Membership, amount: Amount): Ms {
    const requestsMs = this.#requests ? amount.requests / this.#requests.rateOf(of.share, of.member) : 0;
    const tokensMs = this.#tokens ? amount.tokens / this.#tokens.rateOf(of.share, of.member) : 0;
    return Math.max(requestsMs, tokensMs);
  }

  /** The rule that refuses the request: the share in requests, else that in tokens. */
  refusal(of: Membership, tokens: Tokens, now: Ms): RefusedRule {
    const { share, member } = of;
    if (this.#requests?.check(share, member, 1, now).kind === "over" || this.#tokens === undefined) {
      const perMinute = 60_000 * (this.#requests?.rateOf(share, member) ?? 0);
      return { kind: "share", share, unit: "requests", perMinute, requested: 1 };
    }
    const perMinute = 60_000 * this.#tokens.rateOf(share, member);
    return { kind: "share", share, unit: "tokens", perMinute, requested: tokens };
  }

  reconfigure(config: AdmissionConfig, now: Ms): void {
    this.#names = namesOf(config);
    this.#requests = reconfigured(this.#requests, config.requestShares, now);
    this.#tokens = reconfigured(this.#tokens, config.tokenShares, now);
  }

  /** One unit of the capacity, for people. `undefined` where it has no bound in that unit. */
  snapshot(unit: "requests" | "tokens", now: Ms): CapacitySnapshot | undefined {
    const shares = unit === "requests" ? this.#requests : this.#tokens;
    return shares && { meter: shares.meter(now), shares: shares.snapshot(now) };
  }
}

function namesOf({ requestShares, tokenShares }: AdmissionConfig): ReadonlySet<string> {
  const reservations = (requestShares ?? tokenShares)?.reservations ?? [];
  return new Set([POOL, ...reservations.map(({ name }) => name)]);
}

function reconfigured(shares: Shares | undefined, config: SharesConfig | undefined, now: Ms): Shares | undefined {
  if (config === undefined) return undefined;
  if (shares === undefined) return new Shares(config, now);
  shares.reconfigure(config, now);
  return shares;
}
