/*
 * THE LAW
 *
 * A request costs seat-milliseconds. Shares i weigh w_i; the members m of a share weigh the same. Every share has a tag
 * F_i on the virtual clock v, every member a tag f_m on its share's clock v_i: the virtual time of its next turn.
 *
 *   enter     m's queue gets its first request:   f_m = max(f_m, v_i - claims_m)      claims: what its running requests
 *             i gets its first backlogged member: F_i = max(F_i, v - claims_i / w_i)  were charged when they started
 *   turn      of the backlogged share with the least F_i, in it of the backlogged member with the least f_m:
 *             v = max(v, F_i), v_i = max(v_i, f_m), then F_i += x / w_i, f_m += x
 *             where x is a payment if m owes anything (and the turn passes on), else the estimate of m's requests,
 *             and the oldest of them takes a seat
 *   overrun   a running request has used more than was charged: m owes the difference, and pays it on its own turns
 *   leave     m has nothing waiting or running: what m owes is still owed on f_m, but F_i need not wait for m to come
 *             back; d_i takes it over, and each request that starts in i charges F_i up to as much again until d_i = 0
 *   underrun  a finished request has used less than was charged: the difference cancels what m owes, on F_i then d_i,
 *             and the rest goes back to F_i and f_m
 *   estimate  of m: 0.9 of the old one + 0.1 of what the finished request used; a new member has that of its share, a
 *             share of which nothing has finished yet that of the whole queue
 *
 * What m owes waits for m's own turn because m's neighbours in the share would else pay for it with their waiting time.
 * d_i keeps the share exact whose members come only once: overruns that nobody pays would let it use half as much again
 * as its weight. The claims let a member that always has a few requests running, but rarely one waiting, catch up by as
 * many again and no further: without that floor its tag would fall behind for hours, and one burst take all seats; with
 * a floor at v_i it would lose up to a tenth of its seats, since its queue is empty for a moment now and then.
 *
 * I1  No request starts beyond the seats or the token cap, and no seat is left free while the fairest request fits.
 * I2  A request waits, runs and is gone, in this order and each at most once.
 * I3  The requests of one member start in the order in which they were offered.
 * I4  Whoever starts is the fairest: no backlogged share has a smaller tag, nor a backlogged member of its share.
 * I5  Two members of a share that stay backlogged use the same seat time, and two shares in the ratio of their weights,
 *     within (D + 1)(c_i / w_i + c_j / w_j) for D seats and largest costs c, plus what other members of a share owe.
 * I6  A backlogged member that owes nothing starts within one round: one turn of every other member of its share, and
 *     what the other shares are due meanwhile.
 * I7  No more waits than the bounds allow, but for one request that finds a seat free.
 * I8  A request that is cancelled, pushed out or refused leaves the queue as if it had never come, tags aside.
 * I9  With nothing waiting and a seat and its tokens free, no request is refused.
 * I10 When nothing waits and nothing runs, tags and debts are void; estimates stay.
 *
 * Sources: SFQ(D), Jin, Chase and Kaur 2004; the correction of guesses, Kubernetes API Priority and Fairness;
 * dropping from the fattest flow, RFC 8290.
 */
import type { Bytes, Ms, Tokens } from "../units.ts";
import { fractionOf, type Newcomer, overflows, timeToPlaces, type WaitingBounds } from "./bounds.ts";
import { Fifo } from "./fifo.ts";
import { FairOrder } from "./order.ts";
import { planPushOut } from "./push-out.ts";
import { Roster } from "./roster.ts";
import { Entry, isIdle, type Member, type Share } from "./state.ts";
import type { Arrival, FairQueueBounds, FairQueueConfig, MemberSnapshot, Offer, ShareConfig, Ticket } from "./types.ts";
import { checkArrival, checkBounds, checkConfig, checkSeats, checkShares } from "./validate.ts";

/** How often the running requests are looked at for overruns, at most. */
const PROGRESS_INTERVAL_MS = 250;

/** What any request costs at least. Members whose requests take no time at all still take turns. */
const LEAST_COST_MS = 1;

/** Weight of the newest request in an estimate. */
const LEARNING_RATE = 0.1;

const NOBODY: readonly never[] = Object.freeze([]);

/**
 * The queue in front of the seats of one deployment: who waits, who runs, and who is next. Pure: time is an argument,
 * on one clock that does not go back, and whoever calls `offer`, `complete`, `cancel` or a setter calls `next` until it
 * has nothing more to give.
 *
 * Throws RangeError for an invalid configuration or arrival.
 */
export class FairQueue<T> {
  #bounds: WaitingBounds;
  #maxTokens: Tokens;
  readonly #roster: Roster<T>;
  readonly #order: FairOrder<T> = new FairOrder<T>();
  readonly #running: Fifo<Entry<T>> = new Fifo<Entry<T>>();
  #seats: number;
  #waiting = 0;
  #waitingBytes: Bytes = 0;
  #runningTokens: Tokens = 0;
  #estimateMs: Ms;
  #progressAt: Ms = -Infinity;

  constructor(config: FairQueueConfig) {
    checkConfig(config);
    this.#bounds = { maxLength: config.maxLength, maxBytes: config.maxBytes };
    this.#maxTokens = config.maxInflightTokens;
    this.#roster = new Roster<T>(config.shares);
    this.#seats = config.seats;
    this.#estimateMs = config.initialEstimateMs;
  }

  get seats(): number {
    return this.#seats;
  }

  /** Requests in seats. More than `seats` for a while after `setSeats` has lowered them. */
  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get waitingBytes(): Bytes {
    return this.#waitingBytes;
  }

  /** Tokens in flight; a request larger than the cap counts as the cap. */
  get runningTokens(): Tokens {
    return this.#runningTokens;
  }

  /**
   * Lets a request wait, or says why not and when to come back. A share that is not configured is the first one.
   * Never starts anything: ask `next`.
   */
  offer(arrival: Arrival<T>, now: Ms): Offer<T> {
    checkArrival(arrival);
    const share = this.#roster.share(arrival.share);
    if (this.#waiting === 0 && this.#fits(arrival.tokens)) return this.#admit(share, arrival, now);

    const newcomer: Newcomer<T> = { share, member: share.members.get(arrival.member), bytes: arrival.bytes };
    const excessMs = this.#predictedWaitMs(newcomer) - arrival.patienceMs;
    if (excessMs > 0) return { kind: "hopeless", predictedWaitMs: excessMs };

    if (!overflows(this.#bounds, this, arrival.bytes)) return this.#admit(share, arrival, now);
    const leaving = planPushOut(newcomer, this.#order.backlog, this.#bounds, this);
    if (leaving === undefined) return { kind: "full", predictedWaitMs: this.#timeToPlaces(arrival.bytes) };
    for (const entry of leaving) this.#withdraw(entry);
    return this.#admit(share, arrival, now, leaving);
  }

  /** Gives a seat to the request whose turn it is. Undefined: nothing waits, no seat is free, or its tokens do not fit yet. */
  next(now: Ms): Ticket<T> | undefined {
    if (this.#waiting === 0 || this.#running.size >= this.#seats) return undefined;
    this.#chargeOverruns(now);
    const member = this.#order.fairest();
    const entry = member?.queue.first;
    if (member === undefined || entry === undefined || !this.#fits(entry.tokens)) return undefined;
    this.#dequeue(entry);
    entry.state = "running";
    entry.startedAt = now;
    entry.claimedMs = member.estimateMs;
    entry.chargedMs = member.estimateMs;
    if (member.queue.size === 0) this.#order.leave(member);
    this.#order.take(member, member.estimateMs);
    this.#running.push(entry);
    entry.heldTokens = this.#countedTokens(entry.tokens);
    this.#runningTokens += entry.heldTokens;
    member.running += 1;
    member.claimedMs += entry.claimedMs;
    member.share.running += 1;
    member.share.claimedMs += entry.claimedMs;
    return entry;
  }

  /** Takes back a waiting request. False, and nothing happens, when it does not wait here. */
  cancel(ticket: Ticket<T>): boolean {
    if (!this.#owns(ticket) || ticket.state !== "waiting") return false;
    this.#withdraw(ticket);
    return true;
  }

  /** Frees the seat of a running request, however it ended. False, and nothing happens, when it does not run here. */
  complete(ticket: Ticket<T>, now: Ms): boolean {
    if (!this.#owns(ticket) || ticket.state !== "running") return false;
    const { member } = ticket;
    const { share } = member;
    const usedMs = Math.max(now - ticket.startedAt, LEAST_COST_MS);
    if (usedMs > ticket.chargedMs) this.#order.overrun(member, usedMs - ticket.chargedMs);
    else this.#order.underrun(member, ticket.chargedMs - usedMs);
    member.estimateMs = learn(member.estimateMs, usedMs);
    share.estimateMs = learn(share.estimateMs ?? this.#estimateMs, usedMs);
    this.#estimateMs = learn(this.#estimateMs, usedMs);
    ticket.state = "gone";
    this.#running.remove(ticket);
    this.#runningTokens = this.#running.size === 0 ? 0 : this.#runningTokens - ticket.heldTokens;
    member.running -= 1;
    member.claimedMs = member.running === 0 ? 0 : member.claimedMs - ticket.claimedMs;
    share.running -= 1;
    share.claimedMs = share.running === 0 ? 0 : share.claimedMs - ticket.claimedMs;
    this.#rest(member);
    return true;
  }

  /** Changes the seats; 0 lets nothing start. Requests that run above a lowered number just finish. */
  setSeats(seats: number): void {
    checkSeats(seats, 0);
    this.#seats = seats;
  }

  /**
   * Changes the bounds of what waits and the token cap. Nobody who waits is put out: a queue above a lowered bound takes
   * nobody until it is below. What runs counts against a new token cap as it counted against the old one.
   */
  setBounds(bounds: FairQueueBounds): void {
    checkBounds(bounds);
    this.#bounds = { maxLength: bounds.maxLength, maxBytes: bounds.maxBytes };
    this.#maxTokens = bounds.maxInflightTokens;
  }

  /**
   * Changes the shares and their weights. Whoever is ahead or behind stays so by as many seat-milliseconds. A share that
   * is left out takes no more requests and keeps its weight until its last one is gone.
   */
  setShares(shares: readonly ShareConfig[]): void {
    checkShares(shares);
    this.#roster.configure(shares, (share, weight) => this.#order.reweigh(share, weight));
  }

  /** The members with anything waiting, running or owed. */
  *members(): IterableIterator<MemberSnapshot> {
    for (const member of this.#roster.members()) {
      const debtMs = this.#order.debtOf(member);
      if (member.queue.size === 0 && member.running === 0 && debtMs === 0) continue;
      yield {
        share: member.share.name,
        name: member.name,
        waiting: member.queue.size,
        running: member.running,
        estimateMs: member.estimateMs,
        debtMs,
      };
    }
  }

  #admit(share: Share<T>, arrival: Arrival<T>, now: Ms, pushedOut: readonly Ticket<T>[] = NOBODY): Offer<T> {
    const member = this.#roster.wake(share, arrival.member, share.estimateMs ?? this.#estimateMs);
    const entry = new Entry<T>(this, member, arrival, now);
    member.queue.push(entry);
    member.waitingBytes += entry.bytes;
    this.#waiting += 1;
    this.#waitingBytes += entry.bytes;
    if (member.queue.size === 1) this.#order.enter(member);
    return { kind: "queued", ticket: entry, pushedOut };
  }

  #withdraw(entry: Entry<T>): void {
    this.#dequeue(entry);
    entry.state = "gone";
    if (entry.member.queue.size === 0) this.#order.leave(entry.member);
    this.#rest(entry.member);
  }

  #dequeue(entry: Entry<T>): void {
    const { member } = entry;
    member.queue.remove(entry);
    member.waitingBytes -= entry.bytes;
    this.#waiting -= 1;
    this.#waitingBytes = this.#waiting === 0 ? 0 : this.#waitingBytes - entry.bytes;
  }

  #rest(member: Member<T>): void {
    if (!isIdle(member)) return;
    this.#order.rest(member);
    this.#roster.rest(member);
    if (this.#waiting === 0 && this.#running.size === 0) this.#order.endBusyPeriod();
  }

  #chargeOverruns(now: Ms): void {
    if (now - this.#progressAt < PROGRESS_INTERVAL_MS) return;
    this.#progressAt = now;
    for (const entry of this.#running) {
      const overrunMs = now - entry.startedAt - entry.chargedMs;
      if (overrunMs <= 0) continue;
      this.#order.overrun(entry.member, overrunMs);
      entry.chargedMs += overrunMs;
    }
  }

  #fits(tokens: Tokens): boolean {
    return this.#running.size < this.#seats && this.#runningTokens + this.#countedTokens(tokens) <= this.#maxTokens;
  }

  /** A request larger than the cap could never run; counted as the cap it runs alone. */
  #countedTokens(tokens: Tokens): Tokens {
    return Math.min(tokens, this.#maxTokens);
  }

  /** How long the newcomer would wait behind its own member's requests. With none waiting it may always wait itself. */
  #predictedWaitMs(newcomer: Newcomer<T>): Ms {
    const { member } = newcomer;
    if (member === undefined || member.queue.size === 0) return -Infinity;
    const seats = Math.max(this.#seats, 1) * fractionOf(newcomer, this.#order.backlog);
    return ((member.queue.size + 1) * member.estimateMs) / seats;
  }

  #timeToPlaces(bytes: Bytes): Ms {
    return timeToPlaces(this.#bounds, this, bytes, this.#estimateMs / Math.max(this.#seats, 1));
  }

  #owns(ticket: Ticket<T>): ticket is Entry<T> {
    return ticket instanceof Entry && ticket.owner === this;
  }
}

function learn(estimateMs: Ms, usedMs: Ms): Ms {
  return estimateMs + LEARNING_RATE * (usedMs - estimateMs);
}
