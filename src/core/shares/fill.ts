import { heapIndexSlot, IndexedHeap } from "../dispatch/heap.ts";
import type { Ms } from "../units.ts";
import { ROUNDING, type SharePlan } from "./plan.ts";
import type { Share } from "./share.ts";

/** The clock is set back when it has come so many bursts far: sums lose digits as they grow. */
const LONGEST_CLOCK_IN_BURSTS = 256;

/**
 * Who gets the capacity as it comes: the shares that are not full ("hungry"), by weight. Counts deficits in units, on a
 * virtual clock that gives each share its weight per tick. The law is in `shares.ts`.
 */
export class Fill {
  /** C. */
  readonly unitsPerMs: number;
  readonly #longestClock: number;
  readonly #hungry: IndexedHeap<Share> = new IndexedHeap<Share>((a, b) => a.due < b.due, heapIndexSlot);
  /** W: the weights of the hungry shares. */
  #weight = 0;
  /** V. */
  #clock = 0;
  #missing = 0;

  constructor(unitsPerMinute: number, plans: readonly SharePlan[]) {
    this.unitsPerMs = unitsPerMinute / 60_000;
    this.#longestClock = LONGEST_CLOCK_IN_BURSTS * Math.max(...plans.map(({ burst, weight }) => burst / weight));
  }

  /** All that has been taken and has not flowed back: every deficit, and all that is owed in instalments. */
  get missing(): number {
    return this.#missing;
  }

  /** Pours what the capacity has brought in this time. Returns for how long of it everybody was full. */
  advance(ms: Ms): Ms {
    let units = this.unitsPerMs * ms;
    this.#missing = Math.max(0, this.#missing - units);
    for (let first = this.#hungry.peek(); first !== undefined; first = this.#hungry.peek()) {
      const need = (first.due - this.#clock) * this.#weight;
      if (need > units) {
        this.#clock += units / this.#weight;
        if (this.#clock > this.#longestClock) this.#rebase();
        return 0;
      }
      units -= need;
      this.#clock = first.due;
      this.#complete(first);
    }
    return units / this.unitsPerMs;
  }

  /**
   * Lets the members of a group have what the group has got. Not done on every `advance`: nobody outside the group sees
   * the difference, so only the groups that are looked at cost anything.
   */
  settle(share: Share): void {
    const { members } = share;
    if (members === undefined || !share.isHungry) return;
    const units = (this.#clock - share.filledTo) * share.plan.weight;
    share.filledTo = this.#clock;
    const instalments = members.fill(units);
    if (members.isClockLong) this.#owe(share, members.rebase());
    else if (instalments > 0) this.#owe(share, this.deficitOf(share) + instalments);
  }

  /** D_i, in units. */
  deficitOf(share: Share): number {
    return share.isHungry ? Math.max(0, share.due - this.#clock) * share.plan.weight : 0;
  }

  /** φ_i: what the share gets, or would get if it were hungry, in units per ms. At least its part of the capacity. */
  rateOf(share: Share): number {
    const { weight } = share.plan;
    return this.unitsPerMs * (weight / (share.isHungry ? this.#weight : this.#weight + weight));
  }

  /** φ_m: what a member gets, or would get if it were hungry, in units per ms. All of it where the share has no members. */
  rateOfMember(share: Share, member: string): number {
    const { members } = share;
    if (members === undefined) return this.rateOf(share);
    return this.rateOf(share) / (members.has(member) ? members.size : members.size + 1);
  }

  charge(share: Share, member: string, units: number): void {
    if (units <= 0) return;
    this.settle(share);
    this.#add(share, share.members?.charge(member, units) ?? units);
    this.#missing += units;
  }

  /** Gives back, at most until the bucket is full. */
  refund(share: Share, member: string, units: number): void {
    if (!share.isHungry) return;
    this.settle(share);
    const { members } = share;
    const owed = members?.owedBy(member) ?? 0;
    const deficit = this.deficitOf(share);
    const returned = members?.refund(member, units) ?? Math.min(units, deficit);
    this.#missing = Math.max(0, this.#missing - returned - Math.min(owed, units));
    const isFull = members === undefined ? returned >= deficit - ROUNDING * share.plan.burst : members.size === 0;
    if (isFull) this.#leave(share);
    else this.#owe(share, deficit - returned);
  }

  /** Takes over a share from another clock, with its deficit. */
  adopt(share: Share, deficit: number): void {
    if (deficit > 0) this.#add(share, deficit);
    this.#missing += deficit + (share.members?.owed ?? 0);
  }

  #add(share: Share, units: number): void {
    if (!share.isHungry) {
      share.due = this.#clock;
      share.filledTo = this.#clock;
      this.#weight += share.plan.weight;
      this.#hungry.push(share);
    }
    share.due += units / share.plan.weight;
    this.#hungry.update(share);
  }

  #owe(share: Share, units: number): void {
    share.due = this.#clock + units / share.plan.weight;
    this.#hungry.update(share);
  }

  /** The clock has reached the share's due: it is full, unless a member pays the next instalment. */
  #complete(share: Share): void {
    this.settle(share);
    if (share.due > this.#clock) return;
    const instalments = share.members?.fillUp() ?? 0;
    if (instalments > 0) this.#owe(share, instalments);
    else this.#leave(share);
  }

  #leave(share: Share): void {
    this.#hungry.remove(share);
    this.#weight -= share.plan.weight;
    if (this.#hungry.size > 0) return;
    this.#weight = 0;
    this.#clock = 0;
    this.#missing = 0;
  }

  /** Sets the clock back to 0, and forgets what rounding has added up in W. */
  #rebase(): void {
    this.#weight = 0;
    // All move by the same, and rounding keeps the order: the heap stays one.
    for (const share of this.#hungry) {
      share.due -= this.#clock;
      share.filledTo -= this.#clock;
      this.#weight += share.plan.weight;
    }
    this.#clock = 0;
  }
}
