import type { SharesConfig, ShareVerdict } from "../../src/core/shares/types.ts";

/*
 * The slow twin of Shares: a fluid that flows into buckets, written with arrays of deficits. No virtual clock, no heap:
 * it looks for the next bucket that becomes full, moves all of them up to that moment, and begins again.
 */

interface TwinMember {
  readonly name: string;
  deficit: number;
  owed: number;
}

interface TwinShare {
  readonly name: string;
  readonly weight: number;
  readonly burst: number;
  readonly cap: number;
  readonly group: boolean;
  /** One, without a name, where the share is no group. Those that are full stay. */
  readonly members: TwinMember[];
}

/** What is left of a deficit when its last drop flows in, by rounding. */
const DROP = 1e-11;

/** By so much buckets are larger than said, so that four fit into four. */
const SLACK = 1 + 1e-10;

export class SharesTwin {
  readonly shares: readonly TwinShare[];
  readonly #perMs: number;
  readonly #threshold: number;
  readonly #meterSize: number;
  #meter = 0;
  #now = 0;

  constructor(config: SharesConfig) {
    this.#perMs = config.unitsPerMinute / 60_000;
    this.#threshold = this.#perMs * config.utilizationThreshold;
    this.#meterSize = this.#threshold * config.meterSeconds * 1_000 * SLACK;
    const parts = config.reservations.map(({ name, fraction, group }) => ({ name, part: fraction, group }));
    const reserved = parts.reduce((sum, { part }) => sum + part, 0);
    parts.push({ name: "pool", part: Math.max(0.001, 1 - reserved), group: true });
    const all = parts.reduce((sum, { part }) => sum + part, 0);
    this.shares = parts.map(({ name, part, group }) => {
      const weight = part / all;
      const least = 4 * Math.max(1, config.typicalCost);
      const burst = Math.max(least, weight * this.#perMs * 1_000 * config.burstSeconds) * SLACK;
      const cap = Math.max(burst, weight * this.#perMs * 30_000 * SLACK);
      return { name, weight, burst, cap, group, members: [] };
    });
  }

  /** Asks and, if the answer is yes, charges. */
  offer(shareName: string, memberName: string, cost: number, now: number): ShareVerdict["kind"] {
    this.advance(now);
    const share = this.#share(shareName);
    const member = this.#member(share, memberName);
    const grain = Math.min(1, cost);
    const total = deficitOf(share);
    const left = share.burst - total;
    const hasRoom = share.group
      ? member.owed === 0 &&
        (member.deficit + grain <= left || (member.deficit <= 1e-10 * share.burst && total + grain <= share.cap))
      : grain <= left;
    const kind = hasRoom ? "room" : this.#meterSize > 0 && this.#meter + grain <= this.#meterSize ? "unused" : "over";
    if (kind === "room") this.#charge(share, member, cost);
    if (kind === "unused") member.deficit += Math.max(0, Math.min(grain, share.group ? left - member.deficit : left));
    if (kind !== "over") this.#count(cost);
    return kind;
  }

  trueUp(shareName: string, memberName: string, delta: number, now: number): void {
    this.advance(now);
    const share = this.#share(shareName);
    const member = this.#member(share, memberName);
    if (delta >= 0) this.#charge(share, member, delta);
    const unowed = Math.min(member.owed, Math.max(0, -delta));
    member.owed -= unowed;
    member.deficit = Math.max(0, member.deficit - Math.max(0, -delta - unowed));
    this.#count(delta);
  }

  /** More or less of a request that was let in as unused. */
  meterOnly(delta: number): void {
    this.#count(delta);
  }

  advance(now: number): void {
    let left = now - this.#now;
    this.#now = now;
    while (left > 0) {
      const flows = this.#flows();
      const step = Math.min(left, ...flows.map(({ member, rate }) => member.deficit / rate));
      for (const { share, member, rate } of flows) {
        member.deficit -= rate * step;
        if (member.deficit > DROP) continue;
        const instalment = Math.min(member.owed, share.burst / 8);
        member.owed -= instalment;
        member.deficit = instalment;
      }
      left -= step;
      this.#count(-this.#threshold * step);
    }
  }

  /** Everything that has been taken and has not flowed back. */
  missing(): number {
    return this.shares.reduce((sum, { members }) => sum + members.reduce((all, m) => all + m.deficit + m.owed, 0), 0);
  }

  get meter(): number {
    return this.#meter;
  }

  #flows(): { share: TwinShare; member: TwinMember; rate: number }[] {
    const hungry = this.shares.filter((share) => deficitOf(share) > 0);
    const weights = hungry.reduce((sum, { weight }) => sum + weight, 0);
    return hungry.flatMap((share) => {
      const members = share.members.filter(({ deficit }) => deficit > 0);
      const rate = (this.#perMs * share.weight) / weights / members.length;
      return members.map((member) => ({ share, member, rate }));
    });
  }

  #charge(share: TwinShare, member: TwinMember, cost: number): void {
    const atOnce = share.group ? Math.min(cost, Math.max(1, share.burst / 2 - member.deficit)) : cost;
    member.deficit += atOnce;
    member.owed += cost - atOnce;
  }

  #count(cost: number): void {
    const most = this.#meterSize === 0 ? 0 : this.#meterSize + 2_000 * this.#threshold + this.missing();
    this.#meter = Math.max(0, Math.min(most, this.#meter + cost));
  }

  #share(name: string): TwinShare {
    const share = this.shares.find((share) => share.name === name);
    if (share === undefined) throw new Error(`no share ${name}`);
    return share;
  }

  #member(share: TwinShare, name: string): TwinMember {
    const known = share.members.find((member) => !share.group || member.name === name);
    if (known !== undefined) return known;
    const member = { name, deficit: 0, owed: 0 };
    share.members.push(member);
    return member;
  }
}

export function deficitOf(share: TwinShare): number {
  return share.members.reduce((sum, { deficit }) => sum + deficit, 0);
}
