import type { Bytes, Ms, Tokens } from "../units.ts";
import { Fifo, type FifoLinks } from "./fifo.ts";
import { heapIndexSlot, IndexedHeap } from "./heap.ts";
import type { Arrival, Ticket } from "./types.ts";

/** What `order.ts` sorts: the smaller tag first, among equals whoever got backlogged first. */
interface Ranked {
  /** Virtual start time of its next request, in seat-milliseconds per weight. */
  tag: number;
  /** Ordinal of the moment at which it got backlogged. */
  since: number;
}

export function comesFirst(a: Ranked, b: Ranked): boolean {
  return a.tag < b.tag || (a.tag === b.tag && a.since < b.since);
}

/** A reservation or the pool, with the members that it knows. */
export class Share<T> implements Ranked {
  readonly name: string;
  weight: number;
  tag = 0;
  since = 0;
  heapIndex = -1;
  /** Virtual time among its members. */
  virtual = 0;
  running = 0;
  /** Sum of what its running requests were charged when they started. */
  claimedMs: Ms = 0;
  /** Overruns of members that left before their next turn; each turn in the share pays some of it. */
  debtMs: Ms = 0;
  /** Learned mean cost of one request of any member; undefined until one has finished. */
  estimateMs: Ms | undefined;
  /** The busy period that `tag`, `virtual` and `debtMs` belong to. */
  period = 0;
  /** Left out of the last `setShares`: it takes no more requests and goes when its last one has gone. */
  retired = false;
  readonly members: Map<string, Member<T>> = new Map<string, Member<T>>();
  /** The members with something waiting. */
  readonly backlog: IndexedHeap<Member<T>> = new IndexedHeap<Member<T>>(comesFirst, heapIndexSlot);

  constructor(name: string, weight: number) {
    this.name = name;
    this.weight = weight;
  }
}

/** Who pays inside a share. All members of a share weigh the same. */
export class Member<T> implements Ranked, FifoLinks<Member<T>> {
  readonly share: Share<T>;
  readonly name: string;
  tag = 0;
  since = 0;
  heapIndex = -1;
  running = 0;
  claimedMs: Ms = 0;
  /** Learned mean cost of one request. */
  estimateMs: Ms;
  /** Seat-milliseconds used beyond what was charged; paid on its own turns. */
  debtMs: Ms = 0;
  /** The part of `debtMs` that its share has not been charged either. */
  unsettledMs: Ms = 0;
  /** The busy period that `tag` and `debtMs` belong to. */
  period = 0;
  waitingBytes: Bytes = 0;
  readonly queue: Fifo<Entry<T>> = new Fifo<Entry<T>>();
  previous: Member<T> | undefined;
  next: Member<T> | undefined;

  constructor(share: Share<T>, name: string, estimateMs: Ms) {
    this.share = share;
    this.name = name;
    this.estimateMs = estimateMs;
  }
}

/** The queue's own view of a ticket. Its links serve the member's queue while it waits, the list of running ones after. */
export class Entry<T> implements Ticket<T>, FifoLinks<Entry<T>> {
  readonly payload: T;
  readonly tokens: Tokens;
  readonly bytes: Bytes;
  readonly memberName: string;
  readonly offeredAt: Ms;
  readonly member: Member<T>;
  /** The queue that handed it out; a ticket of another queue is refused. */
  readonly owner: object;
  state: "waiting" | "running" | "gone" = "waiting";
  startedAt: Ms = 0;
  /** What its member was charged when it started. */
  claimedMs: Ms = 0;
  /** What its member has been charged for it so far, debts included. */
  chargedMs: Ms = 0;
  /** Tokens that count as in flight for it while it runs. */
  heldTokens: Tokens = 0;
  previous: Entry<T> | undefined;
  next: Entry<T> | undefined;

  constructor(owner: object, member: Member<T>, arrival: Arrival<T>, offeredAt: Ms) {
    this.owner = owner;
    this.member = member;
    this.payload = arrival.payload;
    this.tokens = arrival.tokens;
    this.bytes = arrival.bytes;
    this.memberName = member.name;
    this.offeredAt = offeredAt;
  }
}

export function isIdle<T>(member: Member<T>): boolean {
  return member.running === 0 && member.queue.size === 0;
}
