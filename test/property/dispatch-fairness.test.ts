import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ShareConfig } from "../../src/core/dispatch/types.ts";
import type { Ms } from "../../src/core/units.ts";
import { FairPolicy, FifoPolicy, INITIAL_ESTIMATE_MS, RoundRobinPolicy } from "../simulation/dispatch-policies.ts";
import { type ClientSpec, type Policy, simulate } from "../simulation/dispatch-simulator.ts";

/** A client that always has something waiting, or all clients of a share. */
interface Party {
  readonly weight: number;
  /** The largest cost of a request; estimates count, too. */
  readonly costMs: Ms;
  readonly clients: readonly ClientSpec[];
}

interface Contest {
  readonly seats: number;
  readonly endMs: Ms;
  readonly seed: number;
  readonly parties: readonly Party[];
}

/**
 * How far two parties are apart in seat time over weight, in units of what I5 allows: (D + 1)(c_i / w_i + c_j / w_j),
 * and one cost more for every member of a share that may owe it. Fair is at most 1.
 */
function unfairness(contest: Contest, policy: Policy): number {
  const { seats, endMs, parties } = contest;
  const reports = simulate({ ...contest, clients: parties.flatMap(({ clients }) => clients), warmUpMs: 0 }, policy);
  const got = parties.map(({ weight, costMs, clients }) => {
    const part = clients.reduce((total, { name }) => total + (reports.get(name)?.share ?? 0), 0);
    return { perWeight: (part * seats * endMs) / weight, slack: ((seats + clients.length) * costMs) / weight };
  });
  return Math.max(
    ...got.flatMap((one) => got.map((other) => Math.abs(one.perWeight - other.perWeight) / (one.slack + other.slack))),
  );
}

function backlogged(name: string, share: string, costMs: Ms): ClientSpec {
  const serviceMs = (random: () => number): Ms => costMs * (0.2 + 0.8 * random());
  return { name, share, serviceMs, demand: { kind: "backlog", waiting: 3 } };
}

const costMs = fc.integer({ min: INITIAL_ESTIMATE_MS, max: 30_000 });
const weight = fc.integer({ min: 1, max: 10 });
const course = {
  seats: fc.integer({ min: 1, max: 8 }),
  endMs: fc.integer({ min: 60_000, max: 3_600_000 }),
  seed: fc.nat(),
};

describe("the fair queue, with everybody backlogged", () => {
  test("I5: two members of a share use the same seat time, within the bound", () => {
    const parties = fc
      .array(costMs, { minLength: 2, maxLength: 6 })
      .map((costs) =>
        costs.map((costMs, index) => ({ weight: 1, costMs, clients: [backlogged(`m${index}`, "pool", costMs)] })),
      );
    fc.assert(
      fc.property(fc.record({ ...course, parties }), (contest) => {
        const policy = new FairPolicy(contest.seats, [{ name: "pool", weight: 1 }]);
        expect(unfairness(contest, policy)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("I5: two shares use seat time in the ratio of their weights, within the bound", () => {
    const party = fc.record({ weight, costMs, members: fc.integer({ min: 1, max: 4 }) });
    const parties = fc.array(party, { minLength: 2, maxLength: 5 }).map((shares) =>
      shares.map(({ weight, costMs, members }, index) => ({
        weight,
        costMs,
        clients: Array.from({ length: members }, (_, member) => backlogged(`${index}-${member}`, `s${index}`, costMs)),
      })),
    );
    fc.assert(
      fc.property(fc.record({ ...course, parties }), (contest) => {
        const policy = new FairPolicy(contest.seats, sharesOf(contest.parties));
        expect(unfairness(contest, policy)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("I5 does not hold for first-come-first-served, nor for one request of each in turn", () => {
    const parties = [INITIAL_ESTIMATE_MS, 30_000].map((costMs, index) => ({
      weight: 1,
      costMs,
      clients: [backlogged(`m${index}`, "pool", costMs)],
    }));
    const contest = { seats: 4, endMs: 3_600_000, seed: 1, parties };
    expect(unfairness(contest, new FairPolicy(4, [{ name: "pool", weight: 1 }]))).toBeLessThanOrEqual(1);
    expect(unfairness(contest, new FifoPolicy(4))).toBeGreaterThan(2);
    expect(unfairness(contest, new RoundRobinPolicy(4))).toBeGreaterThan(2);
  });

  test("I6: a backlogged member that owes nothing starts within one round", () => {
    const share = fc.record({ weight, members: fc.integer({ min: 1, max: 5 }) });
    fc.assert(
      fc.property(fc.array(share, { minLength: 1, maxLength: 5 }), course.seats, (shares, seats) => {
        const names = shares.map(({ weight }, index) => ({ name: `s${index}`, weight }));
        const clients = shares.flatMap(({ members }, index) =>
          Array.from({ length: members }, (_, member): ClientSpec => ({
            ...backlogged(`${index}-${member}`, `s${index}`, 1),
            serviceMs: () => INITIAL_ESTIMATE_MS,
          })),
        );
        const endMs = 1_000_000;
        const reports = simulate({ seats, clients, warmUpMs: 0, endMs, seed: 1 }, new FairPolicy(seats, names));
        for (const [index, { weight, members }] of shares.entries()) {
          const due = names.map(({ name, weight: other }) =>
            name === `s${index}` ? members : (members * other) / weight + 1,
          );
          const roundMs = (due.reduce((total, turns) => total + turns, 0) * INITIAL_ESTIMATE_MS) / seats;
          for (const client of clients.filter(({ share }) => share === `s${index}`)) {
            const times = [0, ...(reports.get(client.name)?.starts ?? []), endMs];
            const longest = Math.max(...times.slice(1).map((time, at) => time - (times[at] ?? 0)));
            expect(longest).toBeLessThanOrEqual(roundMs + INITIAL_ESTIMATE_MS);
          }
        }
      }),
    );
  });
});

function sharesOf(parties: readonly Party[]): ShareConfig[] {
  return parties.map(({ weight }, index) => ({ name: `s${index}`, weight }));
}
