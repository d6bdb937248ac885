import type { EffectivePolicy, EffectiveRate } from "../../core/policy/types.ts";
import { createRate } from "../../core/rate/create.ts";
import type { Rate } from "../../core/rate/types.ts";
import type { Ms } from "../../core/units.ts";
import type { Membership } from "./capacity.ts";
import type { Line } from "./line.ts";
import type { Appointments } from "./stagger.ts";
import { amountOf, type Use } from "./use.ts";

/** All that is remembered of one consumer. */
export class Account implements Membership, Appointments {
  readonly member: string;
  /** Since when each rate has counted; `undefined` while it is the same policy as from the start. */
  #since: readonly Ms[] | undefined;
  /** The one of its policy, or the pool if a new configuration has no such share. */
  share: string;
  policy: EffectivePolicy;
  /** Those of `policy.rates`, in its order. */
  rates: readonly Rate[];
  /** Requests that run or wait. */
  open = 0;
  /** Its waiting requests; `undefined` while there are none. */
  line: Line | undefined;
  nextAppointment: Ms = -Infinity;
  /** Where it stands in the list of all accounts. */
  index = -1;

  constructor(consumer: string, policy: EffectivePolicy) {
    this.member = consumer;
    this.policy = policy;
    this.share = policy.share;
    this.rates = policy.rates.map((rule) => rateFor(rule, policy));
  }

  /** Whether as many requests are open as may be. */
  get isCrowded(): boolean {
    const { concurrentRequests } = this.policy;
    return concurrentRequests !== undefined && this.open >= concurrentRequests.value;
  }

  /** 0 if every rate limit has room, else the time until all have. At most `most` of each amount has to find room. */
  wait(use: Use, most: number, now: Ms): Ms {
    let wait = 0;
    for (let index = 0; index < this.rates.length; index++) wait = Math.max(wait, this.#waitFor(index, use, most, now));
    return wait;
  }

  /** The rate limit that has room the latest, by its place in the policy; of equals the first. -1 if all have room. */
  lastToHaveRoom(use: Use, most: number, now: Ms): number {
    let [last, longest] = [-1, 0];
    for (let index = 0; index < this.rates.length; index++) {
      const wait = this.#waitFor(index, use, most, now);
      if (wait > longest) [last, longest] = [index, wait];
    }
    return last;
  }

  charge(use: Use, now: Ms): void {
    const { rates } = this.policy;
    for (let index = 0; index < rates.length; index++) {
      const amount = amountOf(rates[index], use);
      if (amount > 0) this.rates[index]?.charge(amount, now);
    }
  }

  /** What was charged at `chargedAt` was really so much more, or less. */
  correct(by: Use, now: Ms, chargedAt: Ms): void {
    const { rates } = this.policy;
    for (let index = 0; index < rates.length; index++) {
      const amount = amountOf(rates[index], by);
      if (amount === 0) continue;
      // A limit that is newer than the charge was never charged for it.
      if (amount < 0 && chargedAt < (this.#since?.[index] ?? -Infinity)) continue;
      this.rates[index]?.adjust(amount, now, chargedAt);
    }
  }

  /** Takes over a new policy. What was used stays used, also of a limit that has a new value or is counted in the other way. */
  adopt(policy: EffectivePolicy, now: Ms): void {
    if (policy === this.policy) return;
    const { policy: before, rates: old } = this;
    const oldSince = this.#since;
    const since: Ms[] = [];
    this.rates = policy.rates.map((rule) => {
      const place = before.rates.findIndex(({ name }) => name === rule.name);
      const known = old[place];
      if (known !== undefined && policy.strict === before.strict) {
        since.push(oldSince?.[place] ?? -Infinity);
        known.resize(rule.value, now);
        return known;
      }
      since.push(now);
      const rate = rateFor(rule, policy);
      rate.charge(known?.used(now) ?? 0, now);
      return rate;
    });
    this.#since = since;
    this.policy = policy;
    this.share = policy.share;
  }

  /** Whether a new account would do as well. */
  isIdle(now: Ms): boolean {
    if (this.open > 0 || this.nextAppointment > now) return false;
    for (const rate of this.rates) if (!rate.isFull(now)) return false;
    return true;
  }

  #waitFor(index: number, use: Use, most: number, now: Ms): Ms {
    const amount = Math.min(most, amountOf(this.policy.rates[index], use));
    return amount > 0 ? (this.rates[index]?.check(amount, now) ?? 0) : 0;
  }
}

function rateFor(rule: EffectiveRate, { strict }: EffectivePolicy): Rate {
  return createRate({ limit: rule.value, windowMs: rule.windowMs, strict });
}
