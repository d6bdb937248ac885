import type { Bytes } from "../units.ts";
import { headcount, type Newcomer, overflows, type WaitingBounds, type WaitingTotals } from "./bounds.ts";
import type { Entry, Member, Share } from "./state.ts";

/** What a member has waiting, less what has been picked to leave. */
interface Holding<T> {
  readonly waiting: number;
  readonly waitingBytes: Bytes;
  readonly newest: Entry<T> | undefined;
}

interface Candidate<T> {
  readonly member: Member<T>;
  readonly fatness: number;
}

/**
 * Which waiting requests have to leave so that the newcomer fits: again and again the newest one of the fattest member,
 * while that member is fatter than the newcomer's would be with the new request. Undefined when that does not make
 * enough room. Fatness is the part of the queue that a member fills, over the part of the seats that it may count on.
 */
export function planPushOut<T>(
  newcomer: Newcomer<T>,
  backlog: Iterable<Share<T>>,
  bounds: WaitingBounds,
  totals: WaitingTotals,
): Entry<T>[] | undefined {
  const planner = new PushOut(newcomer, backlog, bounds);
  const leaving: Entry<T>[] = [];
  let { waiting, waitingBytes } = totals;
  while (overflows(bounds, { waiting, waitingBytes }, newcomer.bytes)) {
    const entry = planner.next();
    if (entry === undefined) return undefined;
    leaving.push(entry);
    waiting -= 1;
    waitingBytes -= entry.bytes;
  }
  return leaving;
}

class PushOut<T> {
  readonly #newcomer: Newcomer<T>;
  readonly #backlog: Iterable<Share<T>>;
  readonly #bounds: WaitingBounds;
  readonly #ownFatness: number;
  /** Holdings of the members that have lost something in this plan. */
  readonly #cut = new Map<Member<T>, Holding<T>>();

  constructor(newcomer: Newcomer<T>, backlog: Iterable<Share<T>>, bounds: WaitingBounds) {
    this.#newcomer = newcomer;
    this.#backlog = backlog;
    this.#bounds = bounds;
    const { member, share, bytes } = newcomer;
    this.#ownFatness = this.#fatness(share, {
      waiting: (member?.queue.size ?? 0) + 1,
      waitingBytes: (member?.waitingBytes ?? 0) + bytes,
    });
  }

  next(): Entry<T> | undefined {
    const fattest = this.#fattest();
    if (fattest === undefined || fattest.fatness <= this.#ownFatness) return undefined;
    const { waiting, waitingBytes, newest } = this.#holding(fattest.member);
    if (newest === undefined) return undefined;
    this.#cut.set(fattest.member, {
      waiting: waiting - 1,
      waitingBytes: waitingBytes - newest.bytes,
      newest: newest.previous,
    });
    return newest;
  }

  /** Among equally fat ones whoever got backlogged last, so that the longest waiting stay. */
  #fattest(): Candidate<T> | undefined {
    let fattest: Candidate<T> | undefined;
    for (const share of this.#backlog) {
      for (const member of share.backlog) {
        const fatness = this.#fatness(share, this.#holding(member));
        if (
          fattest === undefined ||
          fatness > fattest.fatness ||
          (fatness === fattest.fatness && member.since > fattest.member.since)
        ) {
          fattest = { member, fatness };
        }
      }
    }
    return fattest;
  }

  #holding(member: Member<T>): Holding<T> {
    return (
      this.#cut.get(member) ?? {
        waiting: member.queue.size,
        waitingBytes: member.waitingBytes,
        newest: member.queue.last,
      }
    );
  }

  /** The sum of all backlogged weights is left out: it is the same for everybody. */
  #fatness(share: Share<T>, holding: WaitingTotals): number {
    const { maxLength, maxBytes } = this.#bounds;
    const filled = Math.max(part(holding.waiting, maxLength), part(holding.waitingBytes, maxBytes));
    return (filled * headcount(share, this.#newcomer)) / share.weight;
  }
}

/** 0 of 0 is nothing; something of 0 is infinitely much. */
function part(amount: number, bound: number): number {
  return amount === 0 ? 0 : amount / bound;
}
