import { Shares } from "../../src/core/shares/shares.ts";
import { POOL, type SharesConfig } from "../../src/core/shares/types.ts";
import type { Ms } from "../../src/core/units.ts";

/** What decides who gets in, one unit a request. */
export interface Limiter {
  offer(share: string, member: string, now: Ms): boolean;
}

export class FairShares implements Limiter {
  readonly shares: Shares;

  constructor(config: SharesConfig) {
    this.shares = new Shares(config, 0);
  }

  offer(share: string, member: string, now: Ms): boolean {
    const { kind } = this.shares.check(share, member, 1, now);
    if (kind !== "over") this.shares.charge(share, member, 1, now, kind);
    return kind !== "over";
  }
}

/**
 * Two modes in fixed windows of a minute: below the threshold first come, first served; above it each share is held to
 * its part. The rule of LiteLLM's dynamic rate limiter, version 3.
 */
export class TwoModeWindow implements Limiter {
  readonly #config: SharesConfig;
  readonly #used = new Map<string, number>();
  #total = 0;
  #window = 0;

  constructor(config: SharesConfig) {
    this.#config = config;
  }

  offer(share: string, _member: string, now: Ms): boolean {
    const { unitsPerMinute, utilizationThreshold } = this.#config;
    const window = Math.floor(now / 60_000);
    if (window !== this.#window) {
      this.#window = window;
      this.#total = 0;
      this.#used.clear();
    }
    const used = this.#used.get(share) ?? 0;
    if (this.#total >= unitsPerMinute) return false;
    if (this.#total >= utilizationThreshold * unitsPerMinute && used >= this.#fraction(share) * unitsPerMinute) {
      return false;
    }
    this.#used.set(share, used + 1);
    this.#total += 1;
    return true;
  }

  #fraction(share: string): number {
    const reserved = this.#config.reservations.reduce((sum, { fraction }) => sum + fraction, 0);
    if (share === POOL) return 1 - reserved;
    return this.#config.reservations.find(({ name }) => name === share)?.fraction ?? 0;
  }
}
