import { Policies } from "../../core/policy/policies.ts";
import { POOL } from "../../core/shares/types.ts";
import type { GateSection } from "../scenario/types.ts";

/** Who is guaranteed what by a gate's configuration. */
export interface Allocation {
  /** Requests per minute. */
  readonly capacity: number;
  /** Seats of the deployment. */
  readonly shares: readonly AllocatedShare[];
}

export interface AllocatedShare {
  /** Whether it is a reservation; else it is the pool. */
  readonly reserved: boolean;
  /** Part of the capacity. */
  readonly fraction: number;
  /** Indexes of the consumers that draw on it. */
  readonly members: readonly number[];
}

/** The first deployment's shares; `undefined` where it has no capacity in requests. */
export function allocationOf(section: GateSection | undefined, consumers: readonly string[]): Allocation | undefined {
  const deployment = section?.config.deployments[0];
  const capacity = deployment?.capacity?.requestsPerMinute;
  if (section === undefined || deployment === undefined || capacity === undefined) return undefined;
  const policies = new Policies(deployment);
  const shareOf = (name: string): string =>
    policies.of(section.config.consumers.find((consumer) => consumer.name === name) ?? { name, groups: [] }).share;
  const homes = consumers.map(shareOf);
  const reserved = [...deployment.reservations.values()].reduce((sum, fraction) => sum + fraction, 0);
  const parts = [...deployment.reservations, [POOL, Math.max(0, 1 - reserved)] as const];
  const shares = parts.map(([name, fraction]) => ({
    reserved: name !== POOL,
    fraction,
    members: homes.flatMap((home, index) => (home === name ? [index] : [])),
  }));
  return { capacity, shares };
}

/** The share that a consumer draws on. */
export function shareOf(allocation: Allocation, consumer: number): AllocatedShare | undefined {
  return allocation.shares.find(({ members }) => members.includes(consumer));
}

/**
 * What weighted max–min gives of what was asked, in two levels: between shares by weight, inside each to all members
 * alike. Nobody gets more than it asks for; whoever gets less gets as much per weight as anybody.
 */
export function entitlements(allocation: Allocation, capacity: number, asked: readonly number[]): number[] {
  const given = asked.map(() => 0);
  const wants = allocation.shares.map(({ fraction, members }) => ({
    weight: fraction,
    demand: members.reduce((sum, index) => sum + (asked[index] ?? 0), 0),
  }));
  const parts = waterFill(capacity, wants);
  for (const [place, { members }] of allocation.shares.entries()) {
    const inside = waterFill(
      parts[place] ?? 0,
      members.map((index) => ({ weight: 1, demand: asked[index] ?? 0 })),
    );
    for (const [member, index] of members.entries()) given[index] = inside[member] ?? 0;
  }
  return given;
}

interface Want {
  readonly weight: number;
  readonly demand: number;
}

function waterFill(capacity: number, wants: readonly Want[]): number[] {
  const given = wants.map(() => 0);
  let open = wants.map((want, index) => ({ ...want, index })).filter(({ demand }) => demand > 0);
  let left = capacity;
  while (open.length > 0) {
    const level = left / open.reduce((sum, { weight }) => sum + weight, 0);
    const sated = open.filter(({ demand, weight }) => demand <= level * weight);
    for (const { index, demand, weight } of sated.length > 0 ? sated : open) {
      given[index] = sated.length > 0 ? demand : level * weight;
      left -= given[index];
    }
    open = sated.length > 0 ? open.filter((want) => !sated.includes(want)) : [];
  }
  return given;
}
