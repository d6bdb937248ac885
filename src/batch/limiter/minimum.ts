import type { Ms } from "../../core/units.ts";
import type { Cost, Limit } from "../types.ts";
import { LimitExceededError } from "./errors.ts";
import { Gauge } from "./gauge.ts";
import { Ring } from "./ring.ts";

export interface MinimumOptions {
  /** How much longer than its window each limit is held. Default 50. */
  readonly guardMs?: Ms;
  /** How many may be out at once, each for `latencyMs`. */
  readonly concurrency?: number;
  readonly latencyMs?: Ms;
}

/**
 * The exact minimum time from the first send to the last, for requests of these costs in this order: what a limiter that
 * is never late takes. Constant memory. Throws a `LimitExceededError` for a request that could never go out.
 */
export function minimumDurationMs(
  costs: Iterable<Cost>,
  limits: readonly Limit[],
  { guardMs = 50, concurrency = Infinity, latencyMs = 0 }: MinimumOptions = {},
): Ms {
  const gauges = limits.map((limit) => new Gauge(limit, { ms: guardMs, isTold: false }));
  const inFlight = new Ring(1);
  let now = 0;
  for (const cost of costs) {
    const excluding = gauges.find((gauge) => gauge.excludes(cost));
    if (excluding !== undefined) throw new LimitExceededError(excluding.limit, cost);
    for (const gauge of gauges) now = Math.max(now, gauge.dueAt(cost, now));
    if (inFlight.end - inFlight.first >= concurrency) {
      now = Math.max(now, inFlight.get(0, inFlight.first) + latencyMs);
      inFlight.shift();
    }
    for (const gauge of gauges) gauge.charge(cost, now);
    if (concurrency !== Infinity) inFlight.set(0, inFlight.push(), now);
  }
  return now;
}
