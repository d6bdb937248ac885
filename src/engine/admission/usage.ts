import type { EffectiveRate } from "../../core/policy/types.ts";
import type { Rate } from "../../core/rate/types.ts";
import type { Ms } from "../../core/units.ts";
import type { Account } from "./account.ts";
import type { Headroom, LimitUsage } from "./types.ts";

/** Every limit that counts something, in the order in which they are checked. */
export function usageOf(account: Account, now: Ms): readonly LimitUsage[] {
  const { concurrentRequests, rates: limits } = account.policy;
  const rates = limits
    .map((limit, index) => rateUsage(limit, account.rates[index], now))
    .filter((usage) => usage !== undefined);
  if (concurrentRequests === undefined) return rates;
  const { name, value } = concurrentRequests;
  const left = Math.max(0, value - account.open);
  return [{ name, limit: value, atOnce: value, used: account.open, left, resetsInMs: 0 }, ...rates];
}

/** The rate limit on requests, and the one on tokens, of which the smallest part is left. */
export function headroomOf(account: Account, now: Ms): Headroom {
  const limits = account.policy.rates;
  let requests = -1;
  let tokens = -1;
  for (let index = 0; index < limits.length; index++) {
    if (limits[index]?.counted === "requests") requests = tighter(account, requests, index, now);
    else tokens = tighter(account, tokens, index, now);
  }
  return {
    requests: rateUsage(limits[requests], account.rates[requests], now),
    tokens: rateUsage(limits[tokens], account.rates[tokens], now),
  };
}

/** Of two limits that of which less is left. */
function tighter({ rates }: Account, a: number, b: number, now: Ms): number {
  return partLeft(rates[b], now) < partLeft(rates[a], now) ? b : a;
}

/** More than all of a limit that does not exist. */
function partLeft(rate: Rate | undefined, now: Ms): number {
  if (rate === undefined) return 2;
  return rate.burst === 0 ? 0 : rate.left(now) / rate.burst;
}

function rateUsage(limit: EffectiveRate | undefined, rate: Rate | undefined, now: Ms): LimitUsage | undefined {
  if (limit === undefined || rate === undefined) return undefined;
  const { name, value } = limit;
  const [used, left] = [rate.used(now), rate.left(now)];
  return { name, limit: value, atOnce: rate.burst, used, left, resetsInMs: rate.resetsIn(now) };
}
