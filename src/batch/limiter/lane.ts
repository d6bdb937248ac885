/*
 * THE LAW
 *
 * There is one line, first come first served, and one dispatcher. The first in line goes out when every limit, the pause,
 * the server's word and the concurrency let it, all judged at that moment against what really went out; then all are
 * charged at once. Nothing is planned ahead: a timer only says when to look again, so one that is early changes nothing,
 * and one that is late lets no two out together that should be apart. A large request holds the line until there is room
 * for it. Only the monotonic clock counts.
 */
import type { Cancel, Clock } from "../../contracts/clock.ts";
import { waitUntil } from "../../core/rate/exact-log.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { Cost } from "../types.ts";
import type { AutoRate } from "./auto-rate.ts";
import type { Clamps } from "./clamps.ts";
import { LimitExceededError } from "./errors.ts";
import type { Ledger } from "./ledger.ts";
import { Line, type Waiter } from "./line.ts";
import { type SendFacts, SentPermit } from "./permit.ts";
import type { Standstill } from "./standstill.ts";
import { WriteWatch } from "./write-watch.ts";

/** What decides when the first in line goes out. */
export interface LaneParts {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly clamps: Clamps;
  readonly standstill: Standstill;
  readonly auto: AutoRate | undefined;
  readonly concurrency: number;
  /** Nothing goes out before. */
  readonly opensAt: Ms;
  /** A pause is over. */
  readonly resumed: () => void;
}

/** Lets requests out one after the other, when they may. */
export class Lane {
  readonly #parts: LaneParts;
  readonly #line = new Line();
  readonly #watch: WriteWatch;
  #inFlight = 0;
  #timer: { readonly dueAt: Ms; readonly cancel: Cancel } | undefined;
  #isDispatching = false;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.#watch = new WriteWatch(parts.clock, (since, until) => parts.ledger.restamp(since, until));
  }

  get waiting(): number {
    return this.#line.size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** A permit, if there is one at once. */
  tryEnter(cost: Cost): SentPermit | undefined {
    if (this.#line.size > 0) return undefined;
    const now = this.#now();
    return this.#dueAt(cost, now) <= now ? this.#send(cost, now, 0) : undefined;
  }

  /** The answer to a request that went out is there. */
  answered({ send }: SendFacts): void {
    this.#parts.ledger.answered(send, this.#now());
  }

  /** Stands in line. Exactly one of the two is called, unless it leaves. */
  enter(cost: Cost, admit: (permit: SentPermit) => void, refuse: (reason: Error) => void): Waiter {
    const since = this.#parts.clock.now();
    const waiter: Waiter = {
      cost,
      isWaiting: true,
      admit: (now) => admit(this.#send(cost, now, now - since)),
      refuse,
    };
    this.#line.push(waiter);
    this.dispatch();
    return waiter;
  }

  leave(waiter: Waiter): void {
    if (this.#line.leave(waiter)) this.dispatch();
  }

  /** Lets out whoever may go, and sees to it that it looks again when the next one may. */
  dispatch(): void {
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    try {
      this.#letOut();
    } finally {
      this.#isDispatching = false;
    }
  }

  close(reason: Error): void {
    for (let waiter = this.#line.first; waiter !== undefined; waiter = this.#line.first) {
      this.#line.leave(waiter);
      waiter.refuse(reason);
    }
    this.#disarm();
    this.#watch.close();
  }

  #letOut(): void {
    for (let waiter = this.#line.first; waiter !== undefined; waiter = this.#line.first) {
      const now = this.#now();
      const excludedBy = this.#parts.ledger.excludedBy(waiter.cost);
      if (excludedBy !== undefined) {
        this.#line.leave(waiter);
        waiter.refuse(new LimitExceededError(excludedBy, waiter.cost));
        continue;
      }
      const dueAt = this.#dueAt(waiter.cost, now);
      if (dueAt > now) return this.#arm(dueAt, now);
      this.#line.leave(waiter);
      waiter.admit(now);
    }
    this.#disarm();
  }

  /** The time, once it is known what the process did since. */
  #now(): Ms {
    const { clock, standstill, resumed } = this.#parts;
    const now = clock.now();
    this.#watch.check(now);
    if (standstill.endsBy(now)) resumed();
    return now;
  }

  /** `Infinity`: when another one is settled. */
  #dueAt(cost: Cost, now: Ms): Ms {
    const { ledger, clamps, standstill, auto, concurrency, opensAt } = this.#parts;
    if (this.#inFlight >= concurrency) return Infinity;
    return Math.max(
      opensAt,
      ledger.dueAt(cost, now),
      clamps.dueAt(cost, ledger.sent, now),
      standstill.dueAt(now),
      auto?.dueAt() ?? -Infinity,
    );
  }

  #send(cost: Cost, now: Ms, waitedMs: Ms): SentPermit {
    const { ledger, standstill, auto } = this.#parts;
    const send = ledger.charge(cost, now);
    standstill.sent(now);
    auto?.sent(cost.requests, now);
    this.#inFlight += 1;
    if (ledger.limits.length > 0) this.#watch.sent(now, ledger.guardMs);
    return new SentPermit({ at: now, waitedMs, cost, send, sent: ledger.sent }, (facts, tokens) =>
      this.#settle(facts, tokens),
    );
  }

  #settle({ send, cost }: SendFacts, tokens: Tokens | undefined): void {
    this.#inFlight -= 1;
    if (tokens !== undefined) this.#parts.ledger.adjust(send, tokens - cost.tokens, this.#now());
    this.dispatch();
  }

  #arm(dueAt: Ms, now: Ms): void {
    if (this.#timer?.dueAt === dueAt) return;
    this.#disarm();
    if (dueAt === Infinity) return;
    const cancel = this.#parts.clock.after(waitUntil(dueAt, now), () => {
      this.#timer = undefined;
      this.dispatch();
    });
    this.#timer = { dueAt, cancel };
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
