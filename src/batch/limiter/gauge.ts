import type { Ms } from "../../core/units.ts";
import type { Cost, Limit } from "../types.ts";
import { Pace } from "./pace.ts";
import { SendLog } from "./send-log.ts";

/** Longer windows are paced where the limit does not tell its burst: providers enforce them in parts of a second. */
const LONGEST_UNPACED_WINDOW: Ms = 1_000;

/** The part of its window that the guard of a limit may take, where it is chosen by the limiter. */
const GUARD_FRACTION = 1 / 4;

/** The guard in force, and whether it was told. */
export interface GuardSetting {
  readonly ms: Ms;
  /** A told guard is never cut. */
  readonly isTold: boolean;
}

/** One limit with all that went out under it: in no window too much, and spread where that is due. */
export class Gauge {
  readonly limit: Limit;
  readonly #isTold: boolean;
  readonly #log: SendLog;
  readonly #pace: Pace | undefined;
  #guardMs: Ms;

  constructor(limit: Limit, guard: GuardSetting) {
    const { amount, windowMs, burst } = limit;
    this.limit = limit;
    this.#isTold = guard.isTold;
    this.#guardMs = this.#within(guard.ms);
    const mostGuardMs = guard.isTold ? guard.ms : windowMs * GUARD_FRACTION;
    this.#log = new SendLog({ amount, windowMs, guardMs: this.#guardMs, mostGuardMs });
    const isPaced = burst === undefined ? windowMs > LONGEST_UNPACED_WINDOW : burst < amount;
    this.#pace = isPaced ? new Pace({ amount, windowMs, burst, guardMs: this.#guardMs }) : undefined;
  }

  /** The guard of this limit. */
  get guardMs(): Ms {
    return this.#guardMs;
  }

  /** Whether a request could never go out. */
  excludes(cost: Cost): boolean {
    return cost[this.limit.unit] > this.limit.amount;
  }

  /** When a request may go out as far as this limit goes: an instant, maybe in the past. */
  dueAt(cost: Cost, now: Ms): Ms {
    const units = cost[this.limit.unit];
    if (units <= 0) return -Infinity;
    return Math.max(this.#log.dueAt(units, now), this.#pace?.dueAt(units) ?? -Infinity);
  }

  charge(cost: Cost, now: Ms): void {
    const units = cost[this.limit.unit];
    this.#log.charge(units, now);
    this.#pace?.charge(units, now);
  }

  /** A request that went out at `sentAt` used so many more tokens than was thought, or fewer. */
  adjust(tokens: number, sentAt: Ms, now: Ms): void {
    if (this.limit.unit !== "tokens") return;
    this.#log.adjust(tokens, sentAt, now);
    this.#pace?.adjust(tokens);
  }

  /** What was noted at `since` or later may have gone out as late as `until`. */
  restamp(since: Ms, until: Ms): void {
    const units = this.#log.restamp(since, until);
    this.#pace?.restamp(units, until);
  }

  setGuard(ms: Ms): void {
    const guardMs = this.#within(ms);
    if (guardMs === this.#guardMs) return;
    this.#guardMs = guardMs;
    this.#log.setGuard(guardMs);
    this.#pace?.setGuard(guardMs);
  }

  /** The most of its unit in any window. */
  fullest(): number {
    return this.#log.fullest();
  }

  #within(ms: Ms): Ms {
    return this.#isTold ? ms : Math.min(ms, this.limit.windowMs * GUARD_FRACTION);
  }
}
