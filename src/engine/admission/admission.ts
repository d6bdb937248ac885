/*
 * THE LAW
 *
 * One request is one decision over everything that it needs: the length of its input, the consumer's running requests,
 * its limits on requests, its limits on tokens, and its share of the capacity in requests and in tokens.
 *
 * A1  All or nothing. Everything is looked at first and charged only if all of it has room: a refusal consumes nothing.
 * A2  A refusal names a rule that refused, and the time when all that refused have room. Of limits and shares it names a
 *     limit, of several limits on rates the one that has room the latest.
 *     What no waiting can mend is refused at once and for good.
 * A3  Whoever is refused by a limit and comes back at the time it was told is admitted, if nothing else was charged
 *     meanwhile. Over a share this holds for the first to be told; the next are told later times, one after the other.
 *     For running requests the time is a guess: it is up to them.
 * A4  A charge is made true exactly once, whatever becomes of the request. In between it never falls behind the stream
 *     by more than a step.
 * A5  In queue mode a request that is over its share waits. It holds nothing meanwhile, and is looked at again when its
 *     share should have room. The requests of one consumer are admitted in the order in which they came.
 * A6  Nobody waits in vain: whoever would not get its turn before its deadline is refused at once. A line that has not
 *     been empty for 2 s is a standing queue, which delays everybody and helps nobody: it takes only whoever need not
 *     wait for more than 1 s.
 * A7  Whoever waits is answered exactly once, or leaves. Nothing polls: one timer stands at the earliest look, one at the
 *     earliest deadline. Because rates may rise while a head waits, no look is more than a second away.
 * A8  A new configuration resets nothing: counters, deficits, charges and places stay.
 * A9  What is remembered is bounded by those who have used something lately.
 *
 * Source: design of admission, sections 1.4, 1.6, 1.9 and 1.10; the standing queue is CoDel's (RFC 8289).
 */
import type { Clock } from "../../contracts/clock.ts";
import type { EffectivePolicy } from "../../core/policy/types.ts";
import type { Random } from "../../core/random.ts";
import { POOL } from "../../core/shares/types.ts";
import type { Ms } from "../../core/units.ts";
import { Account } from "./account.ts";
import { Accounts } from "./accounts.ts";
import { Capacity } from "./capacity.ts";
import { type ChargeOwner, RequestCharge } from "./charge.ts";
import type { Line, WaitingPlace } from "./line.ts";
import { refusingLimit } from "./refusing-limit.ts";
import { stagger } from "./stagger.ts";
import type {
  AdmissionConfig,
  AdmissionOutcome,
  AdmissionRefusal,
  AdmissionSnapshot,
  AdmissionVerdict,
  AdmissionWaiter,
  Charge,
  Claim,
  Headroom,
  LimitUsage,
  RefusedRule,
} from "./types.ts";
import { headroomOf, usageOf } from "./usage.ts";
import { neverAdmitted, type Use, useOf } from "./use.ts";
import { type RoomKeeper, WaitingRoom } from "./waiting-room.ts";

/** What a request is charged up front where tokens are charged at its end. */
const ONE_REQUEST: Use = { requests: 1, input: 0, output: 0 };

/** A line that has not been empty for so long is a standing queue. */
const STANDING_MS: Ms = 2_000;

/** The longest wait that a standing queue takes on. */
const STANDING_WAIT_MS: Ms = 1_000;

/** How long the head of a line waits at most before it is looked at again. */
const LONGEST_LOOK_MS: Ms = 1_000;

/** What a request is taken to last before one has ended, and what whoever meets a closing gate is told to wait. */
const USUAL_MS: Ms = 1_000;

/** The limits and shares of one deployment. Synchronous, so no two requests can take the same room. */
export class Admission implements ChargeOwner, RoomKeeper {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #accounts = new Accounts();
  readonly #capacity: Capacity;
  readonly #room: WaitingRoom;
  readonly #refused: Partial<Record<AdmissionOutcome, number>> = {};
  #config: AdmissionConfig;
  #running = 0;
  #admitted = 0;
  #left = 0;
  #lateSettlements = 0;
  #meanRunMs = USUAL_MS;
  #draining = false;

  /** Throws RangeError for a configuration of shares that cannot be kept. */
  constructor(config: AdmissionConfig, clock: Clock, random: Random) {
    this.#config = config;
    this.#clock = clock;
    this.#random = random;
    this.#capacity = new Capacity(config, clock.now());
    this.#room = new WaitingRoom(clock, this);
  }

  /** Decides about one request. On `admit` the caller owns the charge; the waiter hears nothing then. */
  enter(claim: Claim, waiter: AdmissionWaiter): AdmissionVerdict {
    if (this.#draining) return this.#refuse("draining", { kind: "none" }, USUAL_MS, 0);
    const { policy } = claim;
    const never = neverAdmitted(policy, claim.input);
    if (never !== undefined) return this.#refuse(never.outcome, never.rule, Infinity, 0);

    const now = this.#clock.now();
    const account = this.#accounts.of(claim.consumer, policy, now);
    const use = useOf(claim, policy);
    const limitsWait = Math.max(this.#waitForSeat(account), account.wait(use, this.#most, now));
    const shareWait = this.#capacity.wait(account, use.input + use.output, now);
    if (limitsWait > 0)
      return this.#refuseByLimit(account, use, { retryAfterMs: Math.max(limitsWait, shareWait), waitedMs: 0 });
    if (policy.mode === "queue" && this.#config.maxWaiting > 0) {
      if (shareWait > 0 || account.line !== undefined) return this.#wait(account, claim, waiter, shareWait);
    } else if (shareWait > 0) {
      return this.#refuseByShare(account, use, shareWait);
    }
    return { kind: "admit", charge: this.#admit(account, use, now, 0) };
  }

  correct(charge: RequestCharge, by: Use): void {
    const now = this.#clock.now();
    const { account } = charge;
    const tokens = by.input + by.output;
    account.correct(by, now, charge.chargedAt);
    this.#capacity.trueUp(charge, { requests: by.requests, tokens }, now);
    // There may be room now that nobody could foresee.
    if (account.line !== undefined && (by.requests < 0 || tokens < 0)) this.look(account.line);
  }

  release(charge: RequestCharge): void {
    charge.account.open -= 1;
    this.#running -= 1;
    this.#meanRunMs += 0.1 * (this.#clock.now() - charge.chargedAt - this.#meanRunMs);
  }

  settledAgain(): void {
    this.#lateSettlements += 1;
  }

  /** Lets in the heads of a line for which there is room, and sees to it that the next one is looked at in time. */
  look(line: Line): void {
    if (line.isMoving) return;
    line.isMoving = true;
    try {
      for (let head = line.places.first; head !== undefined; head = line.places.first) {
        const wait = this.#serve(head);
        if (wait === 0) continue;
        this.#room.lookAt(line, this.#clock.now() + Math.min(wait, LONGEST_LOOK_MS));
        return;
      }
    } finally {
      line.isMoving = false;
    }
  }

  expired({ line: { account }, claim, since, waiter }: WaitingPlace): void {
    const now = this.#clock.now();
    const use = useOf(claim, account.policy);
    const waitMs = this.#capacity.wait(account, use.input + use.output, now);
    const rule = this.#capacity.refusal(account, use.input + use.output, now);
    waiter.refused(this.#refuse("queue_timeout", rule, this.#announce(account, use, waitMs), now - since));
  }

  /** From now on refuses whoever comes, and at once whoever waits. What was admitted goes on. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    const now = this.#clock.now();
    for (let place = this.#room.any; place !== undefined; place = this.#room.any) {
      this.#room.leave(place);
      place.waiter.refused(this.#refuse("draining", { kind: "none" }, USUAL_MS, now - place.since));
    }
  }

  /**
   * Takes over a new configuration. The policies come with the next claim of each consumer; until then those who wait go
   * by their old one. Throws RangeError for shares that cannot be kept, and has changed nothing then.
   */
  reconfigure(config: AdmissionConfig): void {
    const now = this.#clock.now();
    this.#capacity.reconfigure(config, now);
    this.#config = config;
    for (const account of this.#accounts) {
      if (!this.#capacity.has(account.share)) account.share = POOL;
      if (account.line !== undefined) this.#room.lookAt(account.line, now);
    }
  }

  /** How much of each limit a consumer has used. */
  usage(consumer: string, policy: EffectivePolicy): readonly LimitUsage[] {
    return usageOf(this.#peek(consumer, policy), this.#clock.now());
  }

  /** The limits that leave a consumer the least. */
  headroom(consumer: string, policy: EffectivePolicy): Headroom {
    return headroomOf(this.#peek(consumer, policy), this.#clock.now());
  }

  snapshot(): AdmissionSnapshot {
    const now = this.#clock.now();
    return {
      consumers: this.#accounts.size,
      running: this.#running,
      waiting: this.#room.size,
      maxWaiting: this.#config.maxWaiting,
      admitted: this.#admitted,
      left: this.#left,
      refused: { ...this.#refused },
      lateSettlements: this.#lateSettlements,
      requests: this.#capacity.snapshot("requests", now),
      tokens: this.#capacity.snapshot("tokens", now),
    };
  }

  /** How much of each amount has to find room: all of it, or one where what is used is charged at the end. */
  get #most(): number {
    return this.#config.charge === "estimate" ? Infinity : 1;
  }

  #waitForSeat({ isCrowded, policy }: Account): Ms {
    if (!isCrowded) return 0;
    const seats = policy.concurrentRequests?.value ?? 0;
    return seats === 0 ? Infinity : this.#meanRunMs / seats;
  }

  #admit(account: Account, use: Use, now: Ms, waitedMs: Ms): Charge {
    const live = this.#config.charge === "estimate";
    const charged = live ? use : ONE_REQUEST;
    const charge = new RequestCharge(this, { account, use: charged, live, chargedAt: now, waitedMs });
    account.charge(charged, now);
    this.#capacity.charge(charge, charged.input + charged.output, now);
    account.open += 1;
    this.#running += 1;
    this.#admitted += 1;
    return charge;
  }

  /** Answers a waiting request, if its turn has come: then 0, else the time until it comes. */
  #serve(place: WaitingPlace): Ms {
    const now = this.#clock.now();
    const { account } = place.line;
    const use = useOf(place.claim, account.policy);
    const limitsWait = account.wait(use, this.#most, now);
    const shareWait = this.#capacity.wait(account, use.input + use.output, now);
    if (limitsWait === 0 && shareWait > 0) return shareWait;
    this.#room.leave(place);
    const waitedMs = now - place.since;
    if (limitsWait === 0) place.waiter.admitted(this.#admit(account, use, now, waitedMs));
    else {
      const retryAfterMs = Math.max(limitsWait, shareWait);
      place.waiter.refused(this.#refuseByLimit(account, use, { retryAfterMs, waitedMs }));
    }
    return 0;
  }

  #wait(account: Account, claim: Claim, waiter: AdmissionWaiter, shareWait: Ms): AdmissionVerdict {
    const now = this.#clock.now();
    const { line } = account;
    const aheadMs = line ? this.#capacity.timeFor(account, { requests: line.places.size, tokens: line.tokens }) : 0;
    const predictedMs = shareWait + aheadMs;
    const isStanding = line !== undefined && now - line.since >= STANDING_MS;
    const patienceMs = Math.min(claim.deadline - now, isStanding ? STANDING_WAIT_MS : Infinity);
    const use = useOf(claim, account.policy);
    if (predictedMs > patienceMs) return this.#refuseByShare(account, use, predictedMs);
    const { maxWaiting } = this.#config;
    if (this.#room.size >= maxWaiting) {
      const rule: RefusedRule = { kind: "queue", waiting: this.#room.size, maxWaiting };
      return this.#refuse("queue_full", rule, this.#announce(account, use, predictedMs), 0);
    }
    const place = this.#room.join(account, { claim, waiter, now, leave: this.#leave });
    if (line === undefined) this.#room.lookAt(place.line, now + Math.min(shareWait, LONGEST_LOOK_MS));
    return { kind: "wait", place };
  }

  readonly #leave = (place: WaitingPlace): boolean => {
    const left = this.#room.leave(place);
    if (left) this.#left += 1;
    return left;
  };

  #refuseByLimit(account: Account, use: Use, when: { retryAfterMs: Ms; waitedMs: Ms }): AdmissionRefusal {
    const { outcome, rule } = refusingLimit(account, use, { most: this.#most, now: this.#clock.now() });
    return this.#refuse(outcome, rule, when.retryAfterMs, when.waitedMs);
  }

  #refuseByShare(account: Account, use: Use, waitMs: Ms): AdmissionRefusal {
    const rule = this.#capacity.refusal(account, use.input + use.output, this.#clock.now());
    return this.#refuse("capacity_reserved", rule, this.#announce(account, use, waitMs), 0);
  }

  /** When to tell one more request of a consumer to come back. */
  #announce(account: Account, { requests, input, output }: Use, waitMs: Ms): Ms {
    const stepMs = this.#capacity.timeFor(account, { requests, tokens: input + output });
    return stagger(account, { waitMs, stepMs }, this.#clock.now(), this.#random);
  }

  #refuse(outcome: AdmissionOutcome, rule: RefusedRule, retryAfterMs: Ms, waitedMs: Ms): AdmissionRefusal {
    this.#refused[outcome] = (this.#refused[outcome] ?? 0) + 1;
    return { kind: "refuse", outcome, rule, retryAfterMs, waitedMs };
  }

  /** The account of a consumer, or one as it would be; nothing is remembered for the question. */
  #peek(consumer: string, policy: EffectivePolicy): Account {
    const account = this.#accounts.find(consumer) ?? new Account(consumer, policy);
    account.adopt(policy, this.#clock.now());
    return account;
  }
}
