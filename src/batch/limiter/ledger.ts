import type { Clock } from "../../contracts/clock.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { Cost, Limit } from "../types.ts";
import { Gauge } from "./gauge.ts";
import type { Guard } from "./guard.ts";
import { OpenSends, type Send } from "./open-sends.ts";
import { SendHistory } from "./send-history.ts";
import type { PastSend } from "./types.ts";

/** How far back a limiter remembers where its limits are not known yet, or are short. */
const LEAST_MEMORY: Ms = 60_000;

/** All limits together, and all that went out under them. What one of them refuses, none is charged for. */
export class Ledger {
  readonly #clock: Clock;
  readonly #guard: Guard;
  readonly #history: SendHistory;
  readonly #open: OpenSends;
  /** By name of what taught them; told limits have none. */
  readonly #learned = new Map<string, Gauge>();
  readonly #told: readonly Gauge[];
  #gauges: readonly Gauge[];
  #guardMs: Ms;
  #requests = 0;
  #tokens: Tokens = 0;

  constructor(limits: readonly Limit[], guard: Guard, clock: Clock) {
    this.#clock = clock;
    this.#guard = guard;
    bound(guard, limits);
    this.#guardMs = guard.at(clock.now());
    this.#told = limits.map((limit) => new Gauge(limit, this.#guardMs));
    this.#gauges = this.#told;
    this.#open = new OpenSends(this.#guardMs, (send, at) => this.#counted(send, at));
    this.#history = new SendHistory(Math.max(LEAST_MEMORY, ...limits.map(({ windowMs }) => windowMs * 1.5)));
  }

  get limits(): readonly Limit[] {
    return this.#gauges.map(({ limit }) => limit);
  }

  /** What went out in all. */
  get sent(): Cost {
    return { requests: this.#requests, tokens: this.#tokens };
  }

  /** What requests may differ by on their way. */
  get guardMs(): Ms {
    return this.#guardMs;
  }

  /** The limit that a request could never pass. */
  excludedBy(cost: Cost): Limit | undefined {
    return this.#gauges.find((gauge) => gauge.excludes(cost))?.limit;
  }

  /** When a request may go out by all limits: an instant, maybe in the past. */
  dueAt(cost: Cost, now: Ms): Ms {
    this.#open.closeUntil(now);
    let due = -Infinity;
    for (const gauge of this.#gauges) due = Math.max(due, gauge.dueAt(cost, this.#open, now));
    return due;
  }

  /** It goes out now. */
  charge(cost: Cost, now: Ms): Send {
    this.#requests += cost.requests;
    this.#tokens += cost.tokens;
    const send: Send = { givenAt: now, at: now, requests: cost.requests, tokens: cost.tokens, countedBy: undefined };
    this.#note(send);
    return send;
  }

  /** Its answer is there: it has been counted. */
  answered(send: Send, now: Ms): void {
    this.#guard.answered(now - send.at, now);
    if (this.#gauges.length > 0) this.#open.answered(send, now);
  }

  /** A request used so many more tokens than was thought, or fewer. */
  adjust(send: Send, tokens: number, now: Ms): void {
    if (tokens === 0) return;
    this.#tokens += tokens;
    this.#history.adjust(tokens, send.at);
    for (const gauge of this.#gauges) gauge.adjust(tokens, send.givenAt, send.countedBy);
    if (this.#gauges.length === 0) return;
    if (send.countedBy === undefined) return this.#open.adjust(send, tokens);
    if (tokens < 0) return;
    const excess: Send = { givenAt: now, at: now, requests: 0, tokens, countedBy: undefined };
    this.#open.push(excess);
    this.#open.answered(excess, now);
  }

  /** What went out at `since` or later may have been written as late as `until`. */
  restamp(since: Ms, until: Ms): void {
    const cost = this.#open.restamp(since, until);
    for (const gauge of this.#gauges) gauge.restamp(cost, until);
    this.#history.restamp(since, until);
  }

  /** Takes over what the guard is by now. Returns whether that is new by more than a millisecond. */
  applyGuard(now: Ms): boolean {
    this.#open.guardMs = this.#guard.patience(now);
    const ms = this.#guard.at(now);
    if (Math.abs(ms - this.#guardMs) <= 1) return false;
    this.#guardMs = ms;
    for (const gauge of this.#gauges) gauge.setGuard(ms);
    return true;
  }

  /** Takes over what went out before. Times in the future, of a wall clock that was set back, count as now. */
  recall(past: readonly PastSend[]): void {
    for (const send of this.#dated(past)) this.#note(send);
  }

  /** A limit of the server became known, or changed. Returns whether that is new. */
  learn(id: string, limit: Limit): boolean {
    const known = this.#learned.get(id)?.limit;
    if (known?.amount === limit.amount && known.windowMs === limit.windowMs) return false;
    const now = this.#clock.now();
    const gauge = new Gauge(limit, this.#guardMs);
    // What is open counts for every limit by itself.
    this.#open.closeUntil(now);
    for (const send of this.#dated(this.history())) {
      gauge.sent(send, send.at);
      const countedBy = send.at + this.#open.guardMs;
      if (countedBy <= now) gauge.counted(send, countedBy);
    }
    this.#learned.set(id, gauge);
    this.#gauges = [...this.#told, ...this.#learned.values()];
    bound(this.#guard, this.limits);
    return true;
  }

  history(): readonly PastSend[] {
    return this.#history.list(this.#clock);
  }

  fullest(): readonly { readonly limit: Limit; readonly amount: number }[] {
    return this.#gauges.map((gauge) => ({ limit: gauge.limit, amount: gauge.fullest() }));
  }

  #note(send: Send): void {
    for (const gauge of this.#gauges) gauge.sent(send, send.at);
    if (this.#gauges.length > 0) this.#open.push(send);
    this.#history.add(send, send.at);
  }

  #counted(send: Send, at: Ms): void {
    for (const gauge of this.#gauges) gauge.counted(send, at);
  }

  /** Oldest first, on the limiter's clock. */
  #dated(past: readonly PastSend[]): readonly Send[] {
    const now = this.#clock.now();
    const offset = now - this.#clock.wall();
    return past
      .map(({ at: wall, tokens, requests = 1 }) => {
        const at = Math.min(now, wall + offset);
        return { givenAt: at, at, requests, tokens, countedBy: undefined };
      })
      .sort((earlier, later) => earlier.at - later.at);
  }
}

function bound(guard: Guard, limits: readonly Limit[]): void {
  if (limits.length > 0) guard.bound(Math.min(...limits.map(({ windowMs }) => windowMs)));
}
