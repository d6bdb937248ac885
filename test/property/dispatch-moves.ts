import * as fc from "fast-check";
import type { Arrival, FairQueueConfig, ShareConfig } from "../../src/core/dispatch/types.ts";

/** One thing that can happen to a queue. `pick` chooses among the requests that are not gone, and the last that is. */
export type Move =
  | { readonly kind: "offer"; readonly arrival: Omit<Arrival<number>, "payload"> }
  | { readonly kind: "next" }
  | { readonly kind: "cancel"; readonly pick: number }
  | { readonly kind: "complete"; readonly pick: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "seats"; readonly seats: number }
  | { readonly kind: "shares"; readonly shares: readonly ShareConfig[] };

const shareNames = ["pool", "a", "b", "c"];

/** Whole weights, so that sums of them do not depend on the order of addition. */
const shares: fc.Arbitrary<ShareConfig[]> = fc
  .uniqueArray(fc.constantFrom(...shareNames), { minLength: 1 })
  .chain((names) =>
    fc
      .array(fc.integer({ min: 1, max: 50 }), { minLength: names.length, maxLength: names.length })
      .map((weights) => names.map((name, index) => ({ name, weight: weights[index] ?? 1 }))),
  );

export const config: fc.Arbitrary<FairQueueConfig> = fc.record({
  seats: fc.integer({ min: 1, max: 4 }),
  maxInflightTokens: fc.constantFrom(Infinity, 50),
  maxLength: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constant(1000)),
  maxBytes: fc.constantFrom(0, 100, 400, Infinity),
  initialEstimateMs: fc.constantFrom(1, 300, 2000),
  shares,
});

const arrival: fc.Arbitrary<Omit<Arrival<number>, "payload">> = fc.record({
  share: fc.constantFrom(...shareNames),
  member: fc.constantFrom("x", "y", "z"),
  tokens: fc.integer({ min: 0, max: 60 }),
  bytes: fc.integer({ min: 0, max: 120 }),
  patienceMs: fc.oneof({ weight: 3, arbitrary: fc.constant(Infinity) }, { weight: 1, arbitrary: fc.nat(5000) }),
});

const pick = fc.nat(1000);

export const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant("offer" as const), arrival }) },
    { weight: 6, arbitrary: fc.constant({ kind: "next" as const }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("complete" as const), pick }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(1500) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), pick }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("seats" as const), seats: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("shares" as const), shares }) },
  ),
  { maxLength: 150, size: "max" },
);
