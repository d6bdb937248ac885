import type { Ms } from "../../core/units.ts";
import type { Cost, Limit } from "../types.ts";
import { Fullest } from "./fullest.ts";
import type { OpenSends } from "./open-sends.ts";
import { Pace } from "./pace.ts";
import { SendLog } from "./send-log.ts";

/** Longer windows are paced where the limit does not tell its burst: providers enforce them in parts of a second. */
const LONGEST_UNPACED_WINDOW: Ms = 1_000;

/** One limit with all that was counted under it: in no window too much, and spread where that is due. */
export class Gauge {
  readonly limit: Limit;
  readonly #log: SendLog;
  readonly #pace: Pace | undefined;
  readonly #fullest: Fullest;

  constructor(limit: Limit, guardMs: Ms) {
    const { amount, windowMs, burst } = limit;
    this.limit = limit;
    this.#log = new SendLog(amount, windowMs);
    this.#fullest = new Fullest(amount, windowMs);
    const isPaced = burst === undefined ? windowMs > LONGEST_UNPACED_WINDOW : burst < amount;
    this.#pace = isPaced ? new Pace({ amount, windowMs, burst, guardMs }) : undefined;
  }

  /** Whether a request could never go out. */
  excludes(cost: Cost): boolean {
    return cost[this.limit.unit] > this.limit.amount;
  }

  /** When a request may go out as far as this limit goes, with so many others open: an instant, maybe in the past. */
  dueAt(cost: Cost, open: OpenSends, now: Ms): Ms {
    const { unit, amount, windowMs } = this.limit;
    const units = cost[unit];
    if (units <= 0) return -Infinity;
    const paced = this.#pace?.dueAt(units) ?? -Infinity;
    const missing = this.#log.used(now) + open.sum(unit) + units - amount;
    if (missing <= 0) return paced;
    const room = this.#log.dueFor(missing);
    const due = room.left > 0 ? open.dueFor(unit, room.left) + windowMs : room.dueAt;
    return Math.max(paced, due);
  }

  /** It goes out. Whether it has been counted is another matter: see `counted`. */
  sent(cost: Cost, now: Ms): void {
    const units = cost[this.limit.unit];
    this.#pace?.charge(units, now);
    this.#fullest.add(units, now);
  }

  /** It was counted at `at` at the latest. Instants never fall. */
  counted(cost: Cost, at: Ms): void {
    this.#log.add(cost[this.limit.unit], at);
  }

  /** A request used so many more tokens than was thought, or fewer. `countedBy`: if it has been counted, when at the latest. */
  adjust(tokens: number, sentAt: Ms, countedBy: Ms | undefined): void {
    if (this.limit.unit !== "tokens") return;
    this.#pace?.adjust(tokens);
    this.#fullest.adjust(tokens, sentAt);
    if (countedBy !== undefined && tokens < 0) this.#log.refund(-tokens, countedBy);
  }

  /** So much may have been written as late as `until`. */
  restamp(cost: Cost, until: Ms): void {
    this.#pace?.restamp(cost[this.limit.unit], until);
  }

  setGuard(ms: Ms): void {
    this.#pace?.setGuard(ms);
  }

  /** The most of its unit that went out in any window. */
  fullest(): number {
    return this.#fullest.most();
  }
}
