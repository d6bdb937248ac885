import type { Ms } from "../../core/units.ts";
import type { Cost, Limit } from "../types.ts";
import { LimitExceededError } from "./errors.ts";
import { Gauge } from "./gauge.ts";
import { OpenSends } from "./open-sends.ts";
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
  const shortest = Math.min(...limits.map(({ windowMs }) => windowMs));
  const guard = Math.min(guardMs, shortest / 4);
  const gauges = limits.map((limit) => new Gauge(limit, guard));
  const open = new OpenSends(guard, (send, at) => gauges.forEach((gauge) => gauge.counted(send, at)));
  const inFlight = new Ring(1);
  let now = 0;
  for (const cost of costs) {
    const excluding = gauges.find((gauge) => gauge.excludes(cost));
    if (excluding !== undefined) throw new LimitExceededError(excluding.limit, cost);
    now = earliest(gauges, { cost, open }, now);
    if (inFlight.end - inFlight.first >= concurrency) {
      now = Math.max(now, inFlight.get(0, inFlight.first) + latencyMs);
      inFlight.shift();
    }
    for (const gauge of gauges) gauge.sent(cost, now);
    open.push({ givenAt: now, at: now, requests: cost.requests, tokens: cost.tokens, countedBy: undefined });
    if (concurrency !== Infinity) inFlight.set(0, inFlight.push(), now);
  }
  return now;
}

/** What all of them allow. What one makes it wait for changes nothing for the others but that more has been counted. */
function earliest(gauges: readonly Gauge[], { cost, open }: { cost: Cost; open: OpenSends }, from: Ms): Ms {
  let now = from;
  open.closeUntil(now);
  for (const gauge of gauges) now = Math.max(now, gauge.dueAt(cost, open, now));
  open.closeUntil(now);
  return now;
}
