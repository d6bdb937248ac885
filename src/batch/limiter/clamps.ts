/*
 * THE LAW
 *
 * "Remaining: R", in the answer to a request, is an upper bound: from when that request went out until the limit is full
 * again, no more than R goes out, and what flows back meanwhile. So of R is taken what has been sent since. The newest
 * request's word counts; what nobody renews ends with its reset, or after ten seconds where there is none.
 *
 * Some servers tell when a limit is full again (OpenAI, Anthropic): then it fills evenly until then, and one unit is there
 * long before. Others tell when there is more: then there is nothing until then.
 */
import type { Ms } from "../../core/units.ts";
import type { Dimension } from "../signals/types.ts";
import type { Cost } from "../types.ts";

const UNTOLD_RESET: Ms = 10_000;

interface Clamp {
  readonly unit: keyof Cost;
  readonly remaining: number;
  readonly since: Ms;
  /** How much had been sent in all when the request went out, itself included. */
  readonly sentThen: number;
  readonly refillPerMs: number;
  readonly endsAt: Ms;
}

/** When the request that was answered went out, and what had been sent in all by then. */
export interface SendMark {
  readonly at: Ms;
  readonly sent: Cost;
}

/** What servers said was left, per limit of theirs. */
export class Clamps {
  readonly #clamps = new Map<string, Clamp>();

  /** Takes in what one answer says of one limit. */
  take(dimension: Dimension, mark: SendMark, now: Ms): void {
    const { id, unit, remaining, limit, resetMs, refill } = dimension;
    if (remaining === undefined || mark.at < (this.#clamps.get(id)?.since ?? -Infinity)) return;
    const missing = limit === undefined ? 0 : limit - remaining;
    const isGradual = refill === "gradual" && resetMs !== undefined && resetMs > 0 && missing > 0;
    this.#clamps.set(id, {
      unit,
      remaining,
      since: mark.at,
      sentThen: mark.sent[unit],
      refillPerMs: isGradual ? missing / resetMs : 0,
      endsAt: now + (resetMs ?? UNTOLD_RESET),
    });
  }

  /** When a request may go out, with so much sent in all so far: an instant, maybe in the past. */
  dueAt(cost: Cost, sent: Cost, now: Ms): Ms {
    let due = -Infinity;
    for (const [id, clamp] of this.#clamps) {
      if (clamp.endsAt <= now) this.#clamps.delete(id);
      else due = Math.max(due, dueBy(clamp, cost[clamp.unit], sent[clamp.unit]));
    }
    return due;
  }
}

function dueBy({ remaining, since, sentThen, refillPerMs, endsAt }: Clamp, cost: number, sent: number): Ms {
  const missing = cost + sent - sentThen - remaining;
  if (missing <= 0 || cost <= 0) return -Infinity;
  return refillPerMs === 0 ? endsAt : Math.min(since + missing / refillPerMs, endsAt);
}
