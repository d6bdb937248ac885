import type { Clock } from "../../contracts/clock.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { Cost, Limit } from "../types.ts";
import { Gauge, type GuardSetting } from "./gauge.ts";
import { SendHistory } from "./send-history.ts";
import type { PastSend } from "./types.ts";

/** How far back a limiter remembers where its limits are not known yet, or are short. */
const LEAST_MEMORY: Ms = 60_000;

/** All limits together, and all that went out under them. What one of them refuses, none is charged for. */
export class Ledger {
  readonly #clock: Clock;
  readonly #history: SendHistory;
  /** By name of what taught them; told limits have none. */
  readonly #learned = new Map<string, Gauge>();
  readonly #told: readonly Gauge[];
  #gauges: readonly Gauge[];
  #requests = 0;
  #tokens: Tokens = 0;

  constructor(limits: readonly Limit[], guard: GuardSetting, clock: Clock) {
    this.#clock = clock;
    this.#told = limits.map((limit) => new Gauge(limit, guard));
    this.#gauges = this.#told;
    this.#history = new SendHistory(Math.max(LEAST_MEMORY, ...limits.map(({ windowMs }) => windowMs * 1.5)));
  }

  get limits(): readonly Limit[] {
    return this.#gauges.map(({ limit }) => limit);
  }

  /** What went out in all. */
  get sent(): Cost {
    return { requests: this.#requests, tokens: this.#tokens };
  }

  /** The longest guard of any limit; 0 without limits. */
  get longestGuardMs(): Ms {
    return this.#gauges.reduce((most, { guardMs }) => Math.max(most, guardMs), 0);
  }

  /** The shortest guard of any limit; 0 without limits. */
  get shortestGuardMs(): Ms {
    const shortest = this.#gauges.reduce((least, { guardMs }) => Math.min(least, guardMs), Infinity);
    return shortest === Infinity ? 0 : shortest;
  }

  /** The limit that a request could never pass. */
  excludedBy(cost: Cost): Limit | undefined {
    return this.#gauges.find((gauge) => gauge.excludes(cost))?.limit;
  }

  /** When a request may go out by all limits: an instant, maybe in the past. */
  dueAt(cost: Cost, now: Ms): Ms {
    let due = -Infinity;
    for (const gauge of this.#gauges) due = Math.max(due, gauge.dueAt(cost, now));
    return due;
  }

  /** It goes out now. */
  charge(cost: Cost, now: Ms): void {
    this.#requests += cost.requests;
    this.#tokens += cost.tokens;
    for (const gauge of this.#gauges) gauge.charge(cost, now);
    this.#history.add(cost, now);
  }

  /** A request that went out at `sentAt` used so many more tokens than was thought, or fewer. */
  adjust(tokens: number, sentAt: Ms, now: Ms): void {
    if (tokens === 0) return;
    this.#tokens += tokens;
    for (const gauge of this.#gauges) gauge.adjust(tokens, sentAt, now);
    this.#history.adjust(tokens, sentAt);
  }

  /** What went out at `since` or later may have been written as late as `until`. */
  restamp(since: Ms, until: Ms): void {
    for (const gauge of this.#gauges) gauge.restamp(since, until);
    this.#history.restamp(since, until);
  }

  setGuard(ms: Ms): void {
    for (const gauge of this.#gauges) gauge.setGuard(ms);
  }

  /** Takes over what went out before. Times in the future, of a wall clock that was set back, count as now. */
  recall(past: readonly PastSend[]): void {
    for (const { send, at } of this.#dated(past)) {
      const cost = { requests: send.requests ?? 1, tokens: send.tokens };
      for (const gauge of this.#gauges) gauge.charge(cost, at);
      this.#history.add(cost, at);
    }
  }

  /** A limit of the server became known, or changed. Returns whether that is new. */
  learn(id: string, limit: Limit, guard: GuardSetting): boolean {
    const known = this.#learned.get(id)?.limit;
    if (known?.amount === limit.amount && known.windowMs === limit.windowMs) return false;
    const gauge = new Gauge(limit, guard);
    for (const { send, at } of this.#dated(this.history())) {
      gauge.charge({ requests: send.requests ?? 1, tokens: send.tokens }, at);
    }
    this.#learned.set(id, gauge);
    this.#gauges = [...this.#told, ...this.#learned.values()];
    return true;
  }

  history(): readonly PastSend[] {
    return this.#history.list(this.#clock);
  }

  fullest(): readonly { readonly limit: Limit; readonly amount: number }[] {
    return this.#gauges.map((gauge) => ({ limit: gauge.limit, amount: gauge.fullest() }));
  }

  /** Oldest first, on the limiter's clock. */
  #dated(past: readonly PastSend[]): readonly { readonly send: PastSend; readonly at: Ms }[] {
    const now = this.#clock.now();
    const offset = now - this.#clock.wall();
    return past
      .map((send) => ({ send, at: Math.min(now, send.at + offset) }))
      .sort((earlier, later) => earlier.at - later.at);
  }
}
