import type { Ms } from "../units.ts";
import { heapIndexSlot, IndexedHeap } from "./heap.ts";
import { comesFirst, type Member, type Share } from "./state.ts";

/**
 * A payment is one estimate, but at least this fraction of the debt: a member whose estimate is a millisecond and
 * whose debt is an hour would otherwise take a million turns to pay.
 */
const LARGEST_DEBT_IN_PAYMENTS = 64;

/**
 * Whose turn it is: start-time fair queuing among the shares and, inside each, among its members. Knows tags, virtual
 * times and debts; knows nothing of seats, bounds or time. The law is in `fair-queue.ts`.
 */
export class FairOrder<T> {
  readonly #shares: IndexedHeap<Share<T>> = new IndexedHeap<Share<T>>(comesFirst, heapIndexSlot);
  #virtual = 0;
  #period = 1;
  #ordinal = 0;

  /** The shares with something waiting, in no particular order. */
  get backlog(): Iterable<Share<T>> {
    return this.#shares;
  }

  /** What the member owes in this busy period. */
  debtOf(member: Member<T>): Ms {
    return member.period === this.#period ? member.debtMs : 0;
  }

  /** The member's queue has got its first request. */
  enter(member: Member<T>): void {
    const { share } = member;
    this.#renew(member);
    this.#ordinal += 1;
    if (share.backlog.size === 0) {
      share.tag = Math.max(share.tag, this.#virtual - share.claimedMs / share.weight);
      share.since = this.#ordinal;
      this.#shares.push(share);
    }
    member.tag = Math.max(member.tag, share.virtual - member.claimedMs);
    member.since = this.#ordinal;
    share.backlog.push(member);
  }

  /** The member's queue has become empty. */
  leave(member: Member<T>): void {
    const { share } = member;
    share.backlog.remove(member);
    if (share.backlog.size === 0) this.#shares.remove(share);
  }

  /** Whose turn it is, after those before it have paid their debts. */
  fairest(): Member<T> | undefined {
    for (;;) {
      const member = this.#shares.peek()?.backlog.peek();
      if (member === undefined || member.debtMs === 0) return member;
      const payment = Math.min(member.debtMs, Math.max(member.estimateMs, member.debtMs / LARGEST_DEBT_IN_PAYMENTS));
      const settled = Math.min(payment, member.unsettledMs);
      member.debtMs -= payment;
      member.unsettledMs -= settled;
      this.#tick(member);
      this.#shift(member, payment, settled);
    }
  }

  /** The fairest member uses its turn for a request. */
  take(member: Member<T>, costMs: Ms): void {
    const { share } = member;
    const surcharge = Math.min(share.debtMs, costMs);
    share.debtMs -= surcharge;
    this.#tick(member);
    this.#shift(member, costMs, costMs + surcharge);
  }

  /** A request has used more than it was charged. */
  overrun(member: Member<T>, excessMs: Ms): void {
    member.debtMs += excessMs;
    member.unsettledMs += excessMs;
  }

  /** A request has used less than it was charged: debts are cancelled first. */
  underrun(member: Member<T>, excessMs: Ms): void {
    const { share } = member;
    const own = Math.min(member.debtMs, excessMs);
    const unsettled = Math.min(member.unsettledMs, excessMs);
    const left = Math.min(share.debtMs, excessMs - unsettled);
    member.debtMs -= own;
    member.unsettledMs -= unsettled;
    share.debtMs -= left;
    this.#shift(member, own - excessMs, unsettled + left - excessMs);
  }

  /** The member has nothing waiting and nothing running: the share takes over what it has not been charged yet. */
  rest(member: Member<T>): void {
    member.share.debtMs += member.unsettledMs;
    member.unsettledMs = 0;
  }

  /** Changes a weight. What the share is ahead or behind, in seat-milliseconds, stays. */
  reweigh(share: Share<T>, weight: number): void {
    this.#renewShare(share);
    share.tag = this.#virtual + ((share.tag - this.#virtual) * share.weight) / weight;
    share.weight = weight;
    this.#shares.update(share);
  }

  /** Nothing waits and nothing runs: all tags, virtual times and debts are void. */
  endBusyPeriod(): void {
    this.#period += 1;
    this.#virtual = 0;
  }

  #tick(member: Member<T>): void {
    const { share } = member;
    this.#virtual = Math.max(this.#virtual, share.tag);
    share.virtual = Math.max(share.virtual, member.tag);
  }

  #shift(member: Member<T>, memberMs: Ms, shareMs: Ms): void {
    const { share } = member;
    member.tag += memberMs;
    share.tag += shareMs / share.weight;
    share.backlog.update(member);
    this.#shares.update(share);
  }

  #renew(member: Member<T>): void {
    this.#renewShare(member.share);
    if (member.period === this.#period) return;
    member.period = this.#period;
    member.tag = 0;
    member.debtMs = 0;
    member.unsettledMs = 0;
  }

  #renewShare(share: Share<T>): void {
    if (share.period === this.#period) return;
    share.period = this.#period;
    share.tag = 0;
    share.virtual = 0;
    share.debtMs = 0;
  }
}
