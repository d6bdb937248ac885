import * as fc from "fast-check";
import type { Shares } from "../../src/core/shares/shares.ts";
import { POOL, type SharesConfig, type ShareVerdict } from "../../src/core/shares/types.ts";
import type { Ms } from "../../src/core/units.ts";

/** One request, after a pause. */
export interface Move {
  readonly afterMs: Ms;
  readonly share: string;
  readonly member: string;
  readonly cost: number;
  /** How much more it turns out to cost, once it is admitted, as part of its cost; undefined: as much as was said. */
  readonly surprise: number | undefined;
}

export interface Bounds {
  /** The largest cost; 1 for requests. */
  readonly maxCost?: number;
  /** Whether there is a meter. */
  readonly meter?: boolean;
  readonly surprises?: boolean;
  /** Whether reservations may be groups. */
  readonly groups?: boolean;
  /** In units per minute. */
  readonly minCapacity?: number;
}

export interface Trace {
  readonly config: SharesConfig;
  readonly moves: readonly Move[];
}

const MEMBERS = ["ann", "bob", "cyd", "dan", "eve"];

export function configs(bounds: Bounds = {}): fc.Arbitrary<SharesConfig> {
  const { meter = true, groups = true, minCapacity = 30 } = bounds;
  const parts = fc.array(fc.record({ part: fc.integer({ min: 1, max: 40 }), group: fc.boolean() }), { maxLength: 4 });
  return fc.record({
    unitsPerMinute: fc.integer({ min: minCapacity, max: 100 * minCapacity }),
    utilizationThreshold: fc.integer({ min: 20, max: 100 }).map((percent) => percent / 100),
    burstSeconds: fc.integer({ min: 1, max: 20 }),
    meterSeconds: meter ? fc.integer({ min: 0, max: 20 }) : fc.constant(0),
    typicalCost: fc.constant(1),
    reservations: parts.chain((parts) => {
      const sum = parts.reduce((sum, { part }) => sum + part, 0);
      return fc.constantFrom(0.5, 0.8, 1).map((reserved) =>
        parts.map(({ part, group }, index) => ({
          name: `s${index}`,
          fraction: (part / sum) * reserved,
          group: group && groups,
        })),
      );
    }),
  });
}

export function traces(bounds: Bounds = {}, length = 150): fc.Arbitrary<Trace> {
  const { maxCost = 1, surprises = false } = bounds;
  return configs(bounds).chain((config) => {
    const names = [...config.reservations.map(({ name }) => name), POOL];
    const cost =
      maxCost === 1
        ? fc.constant(1)
        : fc.oneof(
            fc.constant(1),
            fc.integer({ min: 1, max: 1_000 * maxCost }).map((thousandths) => thousandths / 1_000),
          );
    // Five requests in the time that the capacity takes for one, to one request in the time of ten; now and then a rest.
    const meanMs = (60_000 / config.unitsPerMinute) * (1 + maxCost / 4);
    const move = fc.record({
      afterMs: fc.oneof(
        { weight: 20, arbitrary: upTo(0.4 * meanMs) },
        { weight: 10, arbitrary: upTo(4 * meanMs) },
        { weight: 1, arbitrary: upTo(30_000) },
      ),
      share: fc.constantFrom(...names),
      member: fc.constantFrom(...MEMBERS),
      cost,
      surprise: surprises
        ? fc.option(
            fc.integer({ min: -100, max: 100 }).map((percent) => percent / 100),
            { nil: undefined, freq: 2 },
          )
        : fc.constant(undefined),
    });
    return fc.array(move, { minLength: 1, maxLength: length, size: "max" }).map((moves) => ({ config, moves }));
  });
}

/** Asks and, if the answer is yes, charges. */
export function offer(shares: Shares, { share, member, cost }: Asked, now: Ms): ShareVerdict {
  const verdict = shares.check(share, member, cost, now);
  if (verdict.kind !== "over") shares.charge(share, member, cost, now, verdict.kind);
  return verdict;
}

export type Asked = Pick<Move, "share" | "member" | "cost">;

/**
 * Somebody who always asks, that is, often enough that its bucket is never full in between: whenever the whole capacity
 * has brought one grain. Returns how often the answer was yes.
 */
export function keepAsking(
  shares: Shares,
  { unitsPerMinute }: SharesConfig,
  asked: Asked,
  [from, to]: [Ms, Ms],
): number {
  const stepMs = 60_000 / unitsPerMinute;
  let taken = 0;
  for (let now = from + stepMs; now < to; now += stepMs) taken += takeAll(shares, asked, now);
  return taken + takeAll(shares, asked, to);
}

/** Asks until the answer is no. Returns how often it was yes. */
export function takeAll(shares: Shares, asked: Asked, now: Ms): number {
  let taken = 0;
  while (offer(shares, asked, now).kind !== "over") taken += 1;
  return taken;
}

/** To the microsecond. */
function upTo(maxMs: Ms): fc.Arbitrary<Ms> {
  return fc.nat(Math.ceil(1_000 * maxMs)).map((micros) => micros / 1_000);
}
