/*
 * THE LAW
 *
 * The capacity C brings units as time goes by: requests, or tokens. Shares i have weights w_i that add up to 1: a
 * reservation its fraction, the pool the rest. Every share has a bucket of b_i units; what is missing in it is its
 * deficit D_i. A share with a deficit is hungry, and so is a member of a group with a deficit D_m of its own.
 *
 *   fill      all units go to the hungry shares in the ratio of their weights, and in a group to its hungry members
 *             alike. A bucket that is full takes nothing: its part flows to the others at once
 *   room      of a share without members: D_i plus one grain fits into b_i
 *             of a member: it owes no instalment, and D_m plus one grain fits into what the group has left, b_i - D_i;
 *             or it has no deficit at all, and D_i plus one grain fits into the group's cap H_i
 *   charge    whoever finds room for one grain is charged in full: D_i and D_m grow by the cost. Of a request larger
 *             than half of the group's burst the rest is owed, and charged in instalments of b_i / 8 whenever the member
 *             would be full again
 *   unused    a meter fills with all that is admitted and leaks at the threshold, theta C. While one grain fits into it,
 *             nobody is refused: whoever finds no room is let in, and charged only what room there is of one grain
 *             The meter forgets what is above its size by more than 2 s of leaking and all that is missing in the buckets
 *   truth     more than was charged is charged in full; less is given back, from what is owed, then from D_m and D_i,
 *             never below 0. For a request that was let in as unused only the meter learns of it
 *   retry     the time until there is room, if nobody becomes hungry or full meanwhile
 *   change    a new configuration keeps all deficits, in units. But where a bucket becomes smaller, no more is missing
 *             than keeps out whoever asks without a pause: all of the new bucket, or in a group as much of it as was
 *             missing of the old one; else they would get nothing until the difference has flowed back. What exceeds the
 *             old bucket, or is owed, stays
 *
 * S1  Floor: a share that always asks is admitted at least w_i C T - 1 grain in any time T.
 * S2  Total: all together are admitted at most C T + all bursts (a group's: its cap) + the size of the meter in any
 *     time T, and the largest cost once for each that has a deficit.
 * S3  Below the threshold nobody is refused: a refusal ends an interval in which more than theta C T + the size of
 *     the meter - 1 grain was admitted.
 * S4  While anybody is refused, all of the capacity is used: nothing flows into a bucket that is full.
 * S5  Two shares that always ask get units in the ratio of their weights, within one grain of each. Two members of a
 *     group get the same, within one grain of each, once the later one has caught up with the burst of the earlier one.
 * S6  What is lent comes back at once: a share that was idle has its whole burst, and its floor from the first request.
 * S7  A member's request, however large, delays nobody but itself.
 * S8  Whoever comes back after `retryMs` gets in, and a moment earlier does not, if nobody became hungry or full, or
 *     owed an instalment, meanwhile.
 * S9  A refusal consumes nothing; a refund makes nothing.
 *
 * The meter must not forget what is still missing in the buckets: S2 would be lost. A share could take its burst while
 * the meter is over its size, and refill the bucket while the others live on unused capacity, again and again.
 * It forgets the rest so that an hour of full use does not mean minutes of enforcement after it.
 *
 * The grain is what makes large requests possible (a cost above the burst would never fit) and guesses harmless.
 *
 * Sources: design of admission, sections 1.1 to 1.5. Built from virtual scheduling (GCRA, ITU-T I.371), generalised
 * processor sharing and its hierarchy (Bennett and Zhang 1996), and dynamic thresholds (Choudhury and Hahne 1998).
 */
import type { Ms } from "../units.ts";
import { Fill } from "./fill.ts";
import { Meter } from "./meter.ts";
import { GRAIN, planShares } from "./plan.ts";
import { roomFor, timeToRoom } from "./room.ts";
import { Share } from "./share.ts";
import type { Admission, MeterSnapshot, ShareSnapshot, SharesConfig, ShareVerdict } from "./types.ts";
import { checkConfig, checkCost, checkDelta } from "./validate.ts";

const ROOM: ShareVerdict = Object.freeze({ kind: "room" });
const UNUSED: ShareVerdict = Object.freeze({ kind: "unused" });

/**
 * Who may take how much of one deployment's capacity in one unit. Pure: time is an argument, on one clock; should it go
 * back, time stands still until it has caught up. Memory is bounded by the members that have a deficit.
 *
 * Throws RangeError for an invalid configuration, a cost or delta that is no number, and a share that it does not know.
 */
export class Shares {
  #shares: ReadonlyMap<string, Share> = new Map();
  #fill: Fill;
  #meter: Meter;
  #now: Ms;

  constructor(config: SharesConfig, now: Ms) {
    checkConfig(config);
    const plans = planShares(config);
    this.#shares = new Map(plans.map((plan) => [plan.name, new Share(plan)]));
    this.#fill = new Fill(config.unitsPerMinute, plans);
    this.#meter = new Meter(config, 0, 0);
    this.#now = now;
  }

  /** What the share says to a member's request of that many units. Charges nothing: the same question has the same answer. */
  check(share: string, member: string, cost: number, now: Ms): ShareVerdict {
    checkCost(cost);
    const asked = this.#look(share, now);
    const grain = Math.min(cost, GRAIN);
    const retryMs = timeToRoom(this.#fill, asked, member, grain);
    if (retryMs === 0) return ROOM;
    return this.#meter.hasRoom(grain) ? UNUSED : { kind: "over", retryMs };
  }

  /** Charges a request that `check` has just let in, as `admission`. */
  // oxlint-disable-next-line max-params -- an object for each request would be the dearest part of the decision
  charge(share: string, member: string, cost: number, now: Ms, admission: Admission): void {
    checkCost(cost);
    const charged = this.#look(share, now);
    const units = admission === "room" ? cost : Math.min(cost, GRAIN, roomFor(this.#fill, charged, member));
    this.#fill.charge(charged, member, units);
    this.#meter.add(cost, this.#fill.missing);
  }

  /**
   * The truth about a request that was charged as `admission` is known, or a better guess: it costs `delta` units more
   * than has been charged so far or, below 0, less.
   */
  // oxlint-disable-next-line max-params -- as in `charge`
  trueUp(share: string, member: string, delta: number, now: Ms, admission: Admission): void {
    checkDelta(delta);
    const charged = this.#look(share, now);
    if (admission === "room") {
      if (delta >= 0) this.#fill.charge(charged, member, delta);
      else this.#fill.refund(charged, member, -delta);
    }
    this.#meter.add(delta, this.#fill.missing);
  }

  /**
   * Takes over a new configuration. Deficits stay, in units, or shrink with their buckets; a share that is new, or was one
   * consumer's and is now a group's or the other way round, starts full. A share that is left out is forgotten.
   */
  reconfigure(config: SharesConfig, now: Ms): void {
    checkConfig(config);
    this.#advance(now);
    const plans = planShares(config);
    const fill = new Fill(config.unitsPerMinute, plans);
    const shares = new Map<string, Share>();
    for (const plan of plans) {
      const known = this.#shares.get(plan.name);
      const share = known === undefined || known.plan.isGroup !== plan.isGroup ? new Share(plan) : known;
      this.#fill.settle(share);
      const deficit = share.shrink(this.#fill.deficitOf(share), plan.burst);
      share.adopt(plan);
      fill.adopt(share, deficit);
      shares.set(plan.name, share);
    }
    this.#shares = shares;
    this.#fill = fill;
    this.#meter = new Meter(config, this.#meter.level, fill.missing);
  }

  /** Units per ms that a member gets at present, or would get if it asked; the whole share's where it has no members. */
  rateOf(share: string, member: string): number {
    const asked = this.#find(share);
    this.#fill.settle(asked);
    return this.#fill.rateOfMember(asked, member);
  }

  /** Units that a member has taken and that have not flowed back yet, those it owes in instalments included. */
  deficitOf(share: string, member: string, now: Ms): number {
    const asked = this.#look(share, now);
    const { members } = asked;
    return members === undefined ? this.#fill.deficitOf(asked) : members.deficitOf(member) + members.owedBy(member);
  }

  /** The utilisation meter. */
  meter(now: Ms): MeterSnapshot {
    this.#advance(now);
    return this.#meter.snapshot();
  }

  /** All shares: the reservations in their order, then the pool. */
  snapshot(now: Ms): readonly ShareSnapshot[] {
    this.#advance(now);
    return [...this.#shares.values()].map((share) => {
      this.#fill.settle(share);
      const { name, weight, burst } = share.plan;
      const deficit = this.#fill.deficitOf(share);
      return {
        name,
        fraction: weight,
        floorPerMinute: weight * this.#fill.unitsPerMs * 60_000,
        ratePerMinute: this.#fill.rateOf(share) * 60_000,
        available: Math.max(0, burst - deficit),
        deficit,
        burst,
        activeMembers: share.members?.size ?? Number(share.isHungry),
      };
    });
  }

  #look(name: string, now: Ms): Share {
    const share = this.#find(name);
    this.#advance(now);
    this.#fill.settle(share);
    return share;
  }

  #find(name: string): Share {
    const share = this.#shares.get(name);
    if (share === undefined) throw new RangeError(`there is no share ${JSON.stringify(name)}`);
    return share;
  }

  #advance(now: Ms): void {
    const elapsed = now - this.#now;
    if (!(elapsed > 0)) return;
    this.#now = now;
    const fullMs = this.#fill.advance(elapsed);
    this.#meter.advance(elapsed, fullMs, this.#fill.missing);
  }
}
