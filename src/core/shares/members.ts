import { heapIndexSlot, IndexedHeap } from "../dispatch/heap.ts";
import { GRAIN, ROUNDING } from "./plan.ts";

/** The part of the group's burst that one request takes of its member at once. The rest is paid in instalments. */
const LARGEST_CHARGE_IN_BURSTS = 1 / 2;

/** An instalment, as part of the group's burst. */
const INSTALMENT_IN_BURSTS = 1 / 8;

/** The inner clock is set back when it has come so many bursts far: sums lose digits as they grow. */
const LONGEST_CLOCK_IN_BURSTS = 256;

/** A member with a deficit. One without has no record. */
interface Member {
  readonly name: string;
  /** When it is full again, on the clock of its group. */
  due: number;
  /** What it still has to pay in instalments. */
  owed: number;
  heapIndex: number;
}

/**
 * The members of a group that are not full, and the clock on which they fill: it counts what each of them has been given,
 * since all are given the same. Knows deficits in units; knows nothing of time or of other shares.
 */
export class Members {
  burst: number;
  readonly #byName = new Map<string, Member>();
  readonly #byDue: IndexedHeap<Member> = new IndexedHeap<Member>((a, b) => a.due < b.due, heapIndexSlot);
  #clock = 0;

  constructor(burst: number) {
    this.burst = burst;
  }

  /** How many have a deficit. */
  get size(): number {
    return this.#byName.size;
  }

  get isClockLong(): boolean {
    return this.#clock > LONGEST_CLOCK_IN_BURSTS * this.burst;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** D_m, without what is owed. 0 for a member that is full. */
  deficitOf(name: string): number {
    const member = this.#byName.get(name);
    return member === undefined ? 0 : this.#deficit(member);
  }

  /** What it has to pay in instalments. */
  owedBy(name: string): number {
    return this.#byName.get(name)?.owed ?? 0;
  }

  /** What all have to pay in instalments. */
  get owed(): number {
    let sum = 0;
    for (const { owed } of this.#byDue) sum += owed;
    return sum;
  }

  /** The size of one instalment. */
  get instalment(): number {
    return this.burst * INSTALMENT_IN_BURSTS;
  }

  /** Gives units to all alike. Returns the instalments that have become due: new deficit of the group. */
  fill(units: number): number {
    let left = units;
    let instalments = 0;
    for (let first = this.#byDue.peek(); first !== undefined; first = this.#byDue.peek()) {
      const need = this.#deficit(first) * this.#byDue.size;
      if (need > left) {
        this.#clock += left / this.#byDue.size;
        break;
      }
      left -= need;
      this.#clock = first.due;
      instalments += this.#complete(first);
    }
    return instalments;
  }

  /** The group is full, so that what its members still lack is rounding. Returns the instalments that have become due. */
  fillUp(): number {
    let instalments = 0;
    // Those that pay move in the heap while this goes on.
    const members = Array.from(this.#byDue);
    for (const member of members) {
      this.#clock = Math.max(this.#clock, member.due);
      instalments += this.#complete(member);
    }
    return instalments;
  }

  /** Charges a member. Returns what counts at once; the rest is paid in instalments. */
  charge(name: string, units: number): number {
    const room = Math.max(this.burst * LARGEST_CHARGE_IN_BURSTS - this.deficitOf(name), GRAIN);
    const atOnce = Math.min(units, room);
    const member = this.#byName.get(name) ?? this.#enter(name);
    member.due += atOnce;
    member.owed += units - atOnce;
    this.#byDue.update(member);
    return atOnce;
  }

  /** Gives back, first of what is owed, at most until the member is full. Returns what the deficit has shrunk by. */
  refund(name: string, units: number): number {
    const member = this.#byName.get(name);
    if (member === undefined) return 0;
    const unowed = Math.min(member.owed, units);
    member.owed -= unowed;
    const deficit = this.#deficit(member);
    if (units - unowed >= deficit - ROUNDING * this.burst) {
      this.#leave(member);
      return deficit;
    }
    member.due -= units - unowed;
    this.#byDue.update(member);
    return units - unowed;
  }

  /** Makes all deficits smaller by this ratio. What is owed stays. */
  shrink(ratio: number): void {
    // Rounding keeps the order: the heap stays one.
    for (const member of this.#byDue) member.due = this.#clock + this.#deficit(member) * ratio;
  }

  /** Sets the clock back to 0. Returns the sum of all deficits, free of what rounding has added up elsewhere. */
  rebase(): number {
    let sum = 0;
    // All move by the same, and rounding keeps the order: the heap stays one.
    for (const member of this.#byDue) {
      member.due -= this.#clock;
      sum += member.due;
    }
    this.#clock = 0;
    return sum;
  }

  #deficit(member: Member): number {
    return member.due - this.#clock;
  }

  #enter(name: string): Member {
    const member: Member = { name, due: this.#clock, owed: 0, heapIndex: -1 };
    this.#byName.set(name, member);
    this.#byDue.push(member);
    return member;
  }

  /** The member is full: it pays the next instalment, or leaves. */
  #complete(member: Member): number {
    if (member.owed <= 0) {
      this.#leave(member);
      return 0;
    }
    const paid = Math.min(member.owed, this.instalment);
    member.owed -= paid;
    member.due = this.#clock + paid;
    this.#byDue.update(member);
    return paid;
  }

  #leave(member: Member): void {
    this.#byDue.remove(member);
    this.#byName.delete(member.name);
    if (this.#byDue.size === 0) this.#clock = 0;
  }
}
