import type { Arrival, FairQueueConfig, MemberSnapshot, ShareConfig } from "../../src/core/dispatch/types.ts";

/*
 * The slow twin of FairQueue: the law of fair-queue.ts written with arrays, and searched from end to end each time.
 * No heap, no list, no counter that could drift, no generation: what is void is set to zero.
 */

interface TwinShare {
  readonly name: string;
  weight: number;
  retired: boolean;
  tag: number;
  virtual: number;
  since: number;
  claims: number;
  debt: number;
  estimate: number | undefined;
}

interface TwinMember {
  readonly share: TwinShare;
  readonly name: string;
  tag: number;
  since: number;
  claims: number;
  debt: number;
  unsettled: number;
  estimate: number;
}

interface TwinRequest {
  readonly id: number;
  readonly member: TwinMember;
  readonly tokens: number;
  readonly bytes: number;
  state: "waiting" | "running" | "gone";
  startedAt: number;
  claim: number;
  charged: number;
}

export type TwinOffer =
  | { readonly kind: "queued"; readonly pushedOut: readonly number[] }
  | { readonly kind: "full" | "hopeless"; readonly predictedWaitMs: number };

export class Twin {
  seats: number;
  readonly #config: FairQueueConfig;
  #shares: TwinShare[] = [];
  #members: TwinMember[] = [];
  #requests: TwinRequest[] = [];
  #virtual = 0;
  #ordinal = 0;
  #estimate: number;
  #progressAt = -Infinity;

  constructor(config: FairQueueConfig) {
    this.#config = config;
    this.seats = config.seats;
    this.#estimate = config.initialEstimateMs;
    this.setShares(config.shares);
  }

  get waiting(): number {
    return this.#in("waiting").length;
  }

  get waitingBytes(): number {
    return sum(this.#in("waiting").map((request) => request.bytes));
  }

  get running(): number {
    return this.#in("running").length;
  }

  get runningTokens(): number {
    return sum(this.#in("running").map((request) => this.#counted(request.tokens)));
  }

  setShares(shares: readonly ShareConfig[]): void {
    for (const share of this.#shares) share.retired = true;
    const named = shares.map(({ name, weight }) => {
      const share = this.#shares.find((known) => known.name === name) ?? newShare(name, weight);
      share.tag = this.#virtual + ((share.tag - this.#virtual) * share.weight) / weight;
      return Object.assign(share, { weight, retired: false });
    });
    this.#shares = [...named, ...this.#shares.filter((share) => share.retired)];
    this.#tidy();
  }

  offer(arrival: Arrival<number>): TwinOffer {
    const share = this.#shares.find((known) => known.name === arrival.share && !known.retired) ?? this.#first();
    const member = this.#members.find((known) => known.share === share && known.name === arrival.member);
    if (this.waiting === 0 && this.#fits(arrival.tokens)) return this.#admit(share, arrival, []);

    const others = this.#backlogged().filter((other) => other !== member);
    const mine = member === undefined ? [] : this.#queue(member);
    const weights = sum([...new Set([share, ...others.map((other) => other.share)])].map(({ weight }) => weight));
    const headcount = (of: TwinShare): number =>
      others.filter((other) => other.share === of).length + (of === share ? 1 : 0);
    if (member !== undefined && mine.length > 0) {
      const seats = Math.max(this.seats, 1) * (share.weight / weights / headcount(share));
      const excess = ((mine.length + 1) * member.estimate) / seats - arrival.patienceMs;
      if (excess > 0) return { kind: "hopeless", predictedWaitMs: excess };
    }

    const fatness = (of: TwinShare, holding: readonly { bytes: number }[]): number => {
      const filled = Math.max(
        holding.length / this.#config.maxLength,
        holding.length === 0 ? 0 : over(sum(holding.map(({ bytes }) => bytes)), this.#config.maxBytes),
      );
      return (filled * headcount(of)) / of.weight;
    };
    const own = fatness(share, [...mine, arrival]);
    const left = [...this.#in("waiting")];
    const leaving: TwinRequest[] = [];
    const queueOf = (of: TwinMember): TwinRequest[] => left.filter((request) => request.member === of);
    while (
      left.length + 1 > this.#config.maxLength ||
      sum(left.map(({ bytes }) => bytes)) + arrival.bytes > this.#config.maxBytes
    ) {
      const fattest = others
        .filter((other) => queueOf(other).length > 0)
        .map((other) => ({ other, fatness: fatness(other.share, queueOf(other)) }))
        .sort((a, b) => b.fatness - a.fatness || b.other.since - a.other.since)[0];
      const newest = fattest === undefined || fattest.fatness <= own ? undefined : queueOf(fattest.other).at(-1);
      if (newest === undefined) return { kind: "full", predictedWaitMs: this.#timeToPlaces(arrival.bytes) };
      left.splice(left.indexOf(newest), 1);
      leaving.push(newest);
    }
    for (const request of leaving) this.#remove(request);
    return this.#admit(share, arrival, leaving);
  }

  /** The number of the request that starts. */
  next(now: number): number | undefined {
    if (this.running >= this.seats || this.waiting === 0) return undefined;
    if (now - this.#progressAt >= 250) {
      this.#progressAt = now;
      for (const request of this.#in("running")) this.#overrun(request, now - request.startedAt);
    }
    for (;;) {
      const backlogged = this.#backlogged();
      const share = least(backlogged.map((member) => member.share));
      const member = least(backlogged.filter((other) => other.share === share));
      const request = member === undefined ? undefined : this.#queue(member)[0];
      if (share === undefined || member === undefined || request === undefined) return undefined;
      if (member.debt === 0 && !this.#fits(request.tokens)) return undefined;
      this.#virtual = Math.max(this.#virtual, share.tag);
      share.virtual = Math.max(share.virtual, member.tag);
      if (member.debt > 0) {
        const payment = Math.min(member.debt, Math.max(member.estimate, member.debt / 64));
        const settled = Math.min(payment, member.unsettled);
        member.debt -= payment;
        member.unsettled -= settled;
        member.tag += payment;
        share.tag += settled / share.weight;
        continue;
      }
      const surcharge = Math.min(share.debt, member.estimate);
      share.debt -= surcharge;
      member.tag += member.estimate;
      share.tag += (member.estimate + surcharge) / share.weight;
      member.claims += member.estimate;
      share.claims += member.estimate;
      Object.assign(request, {
        state: "running",
        startedAt: now,
        claim: member.estimate,
        charged: member.estimate,
      });
      return request.id;
    }
  }

  cancel(id: number | undefined): boolean {
    const request = this.#requests.find((known) => known.id === id);
    if (request?.state !== "waiting") return false;
    this.#remove(request);
    return true;
  }

  complete(id: number | undefined, now: number): boolean {
    const request = this.#requests.find((known) => known.id === id);
    if (request?.state !== "running") return false;
    const { member } = request;
    const { share } = member;
    const used = Math.max(now - request.startedAt, 1);
    const excess = request.charged - used;
    this.#overrun(request, used);
    if (excess > 0) {
      const unsettled = Math.min(member.unsettled, excess);
      const left = Math.min(share.debt, excess - unsettled);
      const owed = Math.min(member.debt, excess);
      member.debt -= owed;
      member.unsettled -= unsettled;
      share.debt -= left;
      member.tag += owed - excess;
      share.tag += (unsettled + left - excess) / share.weight;
    }
    share.estimate = learn(share.estimate ?? this.#estimate, used);
    member.estimate = learn(member.estimate, used);
    this.#estimate = learn(this.#estimate, used);
    member.claims -= request.claim;
    share.claims -= request.claim;
    this.#remove(request);
    return true;
  }

  members(): MemberSnapshot[] {
    return this.#members
      .map((member) => ({
        share: member.share.name,
        name: member.name,
        waiting: this.#queue(member).length,
        running: this.#in("running").filter((request) => request.member === member).length,
        estimateMs: member.estimate,
        debtMs: member.debt,
      }))
      .filter(({ waiting, running, debtMs }) => waiting > 0 || running > 0 || debtMs > 0);
  }

  #admit(share: TwinShare, arrival: Arrival<number>, leaving: readonly TwinRequest[]): TwinOffer {
    let member = this.#members.find((known) => known.share === share && known.name === arrival.member);
    if (member === undefined) {
      member = newMember(share, arrival.member, share.estimate ?? this.#estimate);
      this.#members.push(member);
    }
    if (this.#queue(member).length === 0) {
      this.#ordinal += 1;
      if (!this.#backlogged().some((other) => other.share === share)) {
        share.tag = Math.max(share.tag, this.#virtual - share.claims / share.weight);
        share.since = this.#ordinal;
      }
      member.tag = Math.max(member.tag, share.virtual - member.claims);
      member.since = this.#ordinal;
    }
    const { payload, tokens, bytes } = arrival;
    this.#requests.push({ id: payload, member, tokens, bytes, state: "waiting", startedAt: 0, claim: 0, charged: 0 });
    return { kind: "queued", pushedOut: leaving.map(({ id }) => id) };
  }

  #overrun(request: TwinRequest, used: number): void {
    const excess = used - request.charged;
    if (excess <= 0) return;
    request.member.debt += excess;
    request.member.unsettled += excess;
    request.charged += excess;
  }

  #remove(request: TwinRequest): void {
    request.state = "gone";
    this.#requests.splice(this.#requests.indexOf(request), 1);
    const { member } = request;
    const { share } = member;
    const present = this.#requests.filter((other) => other.member.share === share && other.state === "running");
    if (present.length === 0) share.claims = 0;
    if (!present.some((other) => other.member === member)) member.claims = 0;
    if (!this.#requests.some((other) => other.member === member)) {
      share.debt += member.unsettled;
      member.unsettled = 0;
    }
    this.#tidy();
  }

  /** Drops retired shares that are empty; with nobody there, voids tags and debts. */
  #tidy(): void {
    const isEmpty = (share: TwinShare): boolean => !this.#requests.some(({ member }) => member.share === share);
    this.#shares = this.#shares.filter((share) => !share.retired || !isEmpty(share));
    this.#members = this.#members.filter(({ share }) => this.#shares.includes(share));
    if (this.#requests.length > 0) return;
    this.#virtual = 0;
    for (const share of this.#shares) Object.assign(share, { tag: 0, virtual: 0, debt: 0 });
    for (const member of this.#members) Object.assign(member, { tag: 0, debt: 0 });
  }

  #timeToPlaces(bytes: number): number {
    const turn = this.#estimate / Math.max(this.seats, 1);
    const lacking = this.waitingBytes + bytes - this.#config.maxBytes;
    if (lacking <= 0 || this.waiting === 0) return turn;
    const places = Math.ceil((lacking * this.waiting) / this.waitingBytes);
    return turn * Math.min(places, this.waiting + 1);
  }

  #first(): TwinShare {
    const [first] = this.#shares;
    if (first === undefined) throw new Error("no share");
    return first;
  }

  #in(state: TwinRequest["state"]): TwinRequest[] {
    return this.#requests.filter((request) => request.state === state);
  }

  #queue(member: TwinMember): TwinRequest[] {
    return this.#in("waiting").filter((request) => request.member === member);
  }

  #backlogged(): TwinMember[] {
    return [...new Set(this.#in("waiting").map(({ member }) => member))];
  }

  #counted(tokens: number): number {
    return Math.min(tokens, this.#config.maxInflightTokens);
  }

  #fits(tokens: number): boolean {
    return this.running < this.seats && this.runningTokens + this.#counted(tokens) <= this.#config.maxInflightTokens;
  }
}

function newShare(name: string, weight: number): TwinShare {
  return {
    name,
    weight,
    retired: false,
    tag: 0,
    virtual: 0,
    since: 0,
    claims: 0,
    debt: 0,
    estimate: undefined,
  };
}

function newMember(share: TwinShare, name: string, estimate: number): TwinMember {
  return { share, name, tag: 0, since: 0, claims: 0, debt: 0, unsettled: 0, estimate };
}

function least<E extends { tag: number; since: number }>(all: readonly E[]): E | undefined {
  return all.toSorted((a, b) => a.tag - b.tag || a.since - b.since)[0];
}

function learn(estimate: number, used: number): number {
  return estimate + 0.1 * (used - estimate);
}

function over(amount: number, bound: number): number {
  return amount === 0 ? 0 : amount / bound;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
