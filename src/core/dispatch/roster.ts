import type { Ms } from "../units.ts";
import { Fifo } from "./fifo.ts";
import { isIdle, Member, Share } from "./state.ts";
import type { ShareConfig } from "./types.ts";

/** Members with nothing waiting and nothing running whose estimates are kept; beyond them the longest idle is forgotten. */
export const MAX_IDLE_MEMBERS = 10_000;

/** Who is known: the shares and their members. Memory is bounded by the requests in the queue plus `MAX_IDLE_MEMBERS`. */
export class Roster<T> {
  readonly #shares = new Map<string, Share<T>>();
  readonly #idle = new Fifo<Member<T>>();
  #fallback: Share<T>;

  constructor(shares: readonly ShareConfig[]) {
    this.#fallback = new Share<T>("", 1);
    this.configure(shares, () => {});
  }

  /** The share with that name; the first one when none has it. */
  share(name: string): Share<T> {
    const share = this.#shares.get(name);
    return share === undefined || share.retired ? this.#fallback : share;
  }

  /** The member for a request that is let in, made if need be. */
  wake(share: Share<T>, name: string, estimateMs: Ms): Member<T> {
    const known = share.members.get(name);
    if (known === undefined) {
      const member = new Member<T>(share, name, estimateMs);
      share.members.set(name, member);
      return member;
    }
    if (isIdle(known)) this.#idle.remove(known);
    return known;
  }

  /** The member has nothing waiting and nothing running. */
  rest(member: Member<T>): void {
    this.#idle.push(member);
    this.#dropIfDrained(member.share);
    if (this.#idle.size <= MAX_IDLE_MEMBERS) return;
    const longest = this.#idle.shift();
    longest?.share.members.delete(longest.name);
  }

  /** Takes over new shares; `reweigh` is told of every share that stays with another weight. */
  configure(shares: readonly ShareConfig[], reweigh: (share: Share<T>, weight: number) => void): void {
    for (const share of this.#shares.values()) share.retired = true;
    for (const [index, { name, weight }] of shares.entries()) {
      const share = this.#shares.get(name) ?? new Share<T>(name, weight);
      share.retired = false;
      if (share.weight !== weight) reweigh(share, weight);
      this.#shares.set(name, share);
      if (index === 0) this.#fallback = share;
    }
    for (const share of this.#shares.values()) this.#dropIfDrained(share);
  }

  *members(): IterableIterator<Member<T>> {
    for (const share of this.#shares.values()) yield* share.members.values();
  }

  #dropIfDrained(share: Share<T>): void {
    if (!share.retired || share.running > 0 || share.backlog.size > 0) return;
    for (const member of share.members.values()) this.#idle.remove(member);
    this.#shares.delete(share.name);
  }
}
