import { describe, expect, test } from "vitest";
import type { ShareConfig } from "../../src/core/dispatch/types.ts";
import type { Random } from "../../src/core/random.ts";
import type { Ms } from "../../src/core/units.ts";
import { FairPolicy, FifoPolicy, RoundRobinPolicy } from "./dispatch-policies.ts";
import {
  type ClientReport,
  type ClientSpec,
  type Demand,
  type Policy,
  quantile,
  runningAt,
  simulate,
} from "./dispatch-simulator.ts";

/*
 * The workload: A and B ask for 2 s, C for 20 s, dev1 for 10 s, each with 20 requests waiting at any time; dev2 asks for
 * 2 s every 10 s by chance. All services are exponential. A, B and C have reservations, dev1 and dev2 share the pool.
 * The figures in brackets are those of an independent simulation of it: single runs of some 3,000 s.
 */

const SECOND: Ms = 1_000;
const BACKLOG: Demand = { kind: "backlog", waiting: 20 };
const SHARES: readonly ShareConfig[] = [
  { name: "pool", weight: 20 },
  { name: "A", weight: 30 },
  { name: "B", weight: 20 },
  { name: "C", weight: 30 },
];

type Reports = ReadonlyMap<string, ClientReport>;

function exponential(meanMs: Ms): (random: Random) => Ms {
  return (random) => -meanMs * Math.log(1 - random());
}

function steady(serviceMs: Ms): () => Ms {
  return () => serviceMs;
}

function workload(startOfA: Ms = 0): ClientSpec[] {
  return [
    { name: "A", share: "A", serviceMs: exponential(2 * SECOND), demand: BACKLOG, startsAt: startOfA },
    { name: "B", share: "B", serviceMs: exponential(2 * SECOND), demand: BACKLOG },
    { name: "C", share: "C", serviceMs: exponential(20 * SECOND), demand: BACKLOG },
    { name: "dev1", share: "pool", serviceMs: exponential(10 * SECOND), demand: BACKLOG },
    {
      name: "dev2",
      share: "pool",
      serviceMs: exponential(2 * SECOND),
      demand: { kind: "poisson", everyMs: 10 * SECOND },
    },
  ];
}

function of(reports: Reports, name: string): ClientReport {
  const report = reports.get(name);
  if (report === undefined) throw new Error(`no client ${name}`);
  return report;
}

function percent(reports: Reports, ...names: readonly string[]): number {
  return names.reduce((total, name) => total + 100 * of(reports, name).share, 0);
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

describe("seat time", () => {
  const run = (seats: number, policy: Policy): Reports =>
    simulate({ seats, clients: workload(), warmUpMs: 300 * SECOND, endMs: 30_000 * SECOND, seed: 7 }, policy);

  test.each([
    { seats: 32, dev2: 0.625 },
    { seats: 8, dev2: 2.5 },
    { seats: 4, dev2: 5 },
    { seats: 1, dev2: 10 },
  ])("is shared by weight on $seats seats, and a light member gets what it asks for or its half", ({ seats, dev2 }) => {
    const reports = run(seats, new FairPolicy(seats, SHARES));
    const shares = [
      percent(reports, "A"),
      percent(reports, "B"),
      percent(reports, "C"),
      percent(reports, "dev1", "dev2"),
    ];
    const errors = [30, 20, 30, 20].map((ideal, index) => Math.abs((shares[index] ?? 0) - ideal));
    expect(Math.max(...errors)).toBeLessThan(1);
    expect(Math.abs(percent(reports, "dev2") / dev2 - 1)).toBeLessThan(0.1);
  });

  // [5.9 5.5 59.6], [5.8 5.7 58.3], [5.2 5.6 56.3]: that these agree says that the workload is the same one.
  test.each([32, 8, 4])(
    "follows the costs of the requests when it is first come, first served on %i seats",
    (seats) => {
      const reports = run(seats, new FifoPolicy(seats));
      expect(Math.abs(percent(reports, "A") - 5.7)).toBeLessThan(0.6);
      expect(Math.abs(percent(reports, "B") - 5.7)).toBeLessThan(0.6);
      expect(Math.abs(percent(reports, "C") - 57.5)).toBeLessThan(2.5);
    },
  );

  test.each([32, 8, 4, 1])("misses the shares by half when every client starts in turn on %i seats", (seats) => {
    const reports = run(seats, new RoundRobinPolicy(seats));
    expect(percent(reports, "A")).toBeLessThan(15);
    expect(percent(reports, "C")).toBeGreaterThan(45);
  });

  test("of a share whose members come only once is that of its weight", () => {
    const clients: ClientSpec[] = [
      {
        name: "guests",
        share: "pool",
        serviceMs: exponential(40 * SECOND),
        demand: BACKLOG,
        member: (ordinal) => `${ordinal}`,
      },
      { name: "A", share: "A", serviceMs: exponential(10 * SECOND), demand: BACKLOG },
    ];
    const shares = [
      { name: "pool", weight: 1 },
      { name: "A", weight: 1 },
    ];
    const scenario = { seats: 8, clients, warmUpMs: 0, endMs: 30_000 * SECOND, seed: 3 };
    expect(Math.abs(percent(simulate(scenario, new FairPolicy(8, shares)), "guests") - 50)).toBeLessThan(1);
  });
});

describe("the wait of a light member in a busy share", () => {
  /** 95th percentiles of the waits of dev2 in several runs, in seconds. */
  const waits = (seats: number, endMs: Ms, warmUpMs: Ms): number[] =>
    Array.from({ length: 15 }, (_, seed) => {
      const reports = simulate({ seats, clients: workload(), warmUpMs, endMs, seed }, new FairPolicy(seats, SHARES));
      return quantile(of(reports, "dev2").waits, 0.95) / SECOND;
    });

  test("is short while its share has several seats", () => {
    const [on32, on8] = [waits(32, 3_000 * SECOND, 300 * SECOND), waits(8, 3_000 * SECOND, 300 * SECOND)];
    expect(Math.abs(median(on32) / 2.0 - 1)).toBeLessThan(0.2); // [2.0]
    expect(Math.abs(median(on8) / 9.4 - 1)).toBeLessThan(0.2); // [9.4]
  });

  test("is some turns of its share while that has less than a seat", () => {
    const on4 = waits(4, 3_000 * SECOND, 300 * SECOND);
    // [35.4] is among the runs, but not in the middle: the median is a quarter lower.
    expect(Math.abs(median(on4) / 27 - 1)).toBeLessThan(0.2);
    expect(Math.min(...on4)).toBeLessThan(35.4);
    expect(Math.max(...on4)).toBeGreaterThan(35.4);
  });

  test("grows with the run when it asks for more than its part", () => {
    const on1 = waits(1, 2_700 * SECOND, 0);
    expect(Math.abs(median(on1) / 1311 - 1)).toBeLessThan(0.2); // [1311]
  });

  test.each([1, 4, 32])("is at most one turn of a neighbour that has 500 requests waiting, on %i seats", (seats) => {
    const arrival = 100 * SECOND + 1;
    const clients: ClientSpec[] = [
      { name: "hog", share: "pool", serviceMs: steady(10 * SECOND), demand: { kind: "backlog", waiting: 500 } },
      { name: "light", share: "pool", serviceMs: steady(10 * SECOND), demand: { kind: "at", times: [arrival] } },
    ];
    const policy = new FairPolicy(seats, [{ name: "pool", weight: 1 }]);
    const reports = simulate({ seats, clients, warmUpMs: 0, endMs: 300 * SECOND, seed: 1 }, policy);
    const start = of(reports, "light").starts[0] ?? Infinity;
    const before = of(reports, "hog").starts.filter((at) => at > arrival && at < start);
    expect(before.length).toBe(0);
    expect(start - arrival).toBeLessThanOrEqual(10 * SECOND);
  });
});

describe("a share that joins late", () => {
  /** Seconds until A has its first seat, and until it has all seats of its weight, in several runs. */
  const joins = (seats: number): { first: number[]; all: number[] } => {
    const joinsAt = 600 * SECOND;
    const due = Math.max(1, Math.floor(0.3 * seats));
    const runs = Array.from({ length: 25 }, (_, seed) => {
      const scenario = { seats, clients: workload(joinsAt), warmUpMs: 0, endMs: joinsAt + 200 * SECOND, seed };
      const { starts, ends } = of(simulate(scenario, new FairPolicy(seats, SHARES)), "A");
      const all = starts.find((at) => runningAt({ share: 0, waits: [], starts, ends }, at) >= due) ?? Infinity;
      return { first: ((starts[0] ?? Infinity) - joinsAt) / SECOND, all: (all - joinsAt) / SECOND };
    });
    return { first: runs.map(({ first }) => first), all: runs.map(({ all }) => all) };
  };

  test("starts with the next seat that is freed", () => {
    expect(median(joins(32).first)).toBeLessThan(0.3); // [0.1]
    expect(median(joins(8).first)).toBeLessThan(1.1); // [0.7]
    expect(median(joins(4).first)).toBeLessThan(2.2); // [1.3]
    expect(median(joins(1).first)).toBeLessThan(8.5); // [5.3]
  });

  test("has all its seats within the time of some requests", () => {
    expect(median(joins(32).all)).toBeLessThan(6); // [3.7]
    expect(median(joins(8).all)).toBeLessThan(7.2); // [7.2]
  });
});

describe("a member that always has a few requests running", () => {
  test.each(["pool", "A"])("does not take all seats with a burst from a neighbour in share %s", (share) => {
    const burstsAt = 3_600 * SECOND;
    const trickler = { share: "pool", serviceMs: exponential(10 * SECOND), member: () => "trickler" };
    const clients: ClientSpec[] = [
      { ...trickler, name: "trickle", demand: { kind: "loop", callers: 2 } },
      { ...trickler, name: "burst", demand: { kind: "at", times: Array.from({ length: 300 }, () => burstsAt) } },
      { name: "neighbour", share, serviceMs: exponential(10 * SECOND), demand: BACKLOG },
    ];
    const shares = [
      { name: "pool", weight: 1 },
      { name: "A", weight: 1 },
    ];
    const reports = simulate(
      { seats: 32, clients, warmUpMs: burstsAt, endMs: burstsAt + 60 * SECOND, seed: 3 },
      new FairPolicy(32, shares),
    );
    const held = Array.from({ length: 60 }, (_, second) =>
      runningAt(of(reports, "neighbour"), burstsAt + second * SECOND),
    );
    expect(percent(reports, "neighbour")).toBeGreaterThan(45);
    // Half of the seats is 16; chance alone moves that by up to 8 in a minute.
    expect(Math.min(...held)).toBeGreaterThan(5);
  });

  test("gets its weight although its queue is often empty", () => {
    const clients = workload().map((client): ClientSpec =>
      client.name === "A" ? { ...client, demand: { kind: "loop", callers: 4 } } : client,
    );
    const scenario = { seats: 8, clients, warmUpMs: 0, endMs: 20_000 * SECOND, seed: 3 };
    expect(percent(simulate(scenario, new FairPolicy(8, SHARES)), "A")).toBeGreaterThan(29.8);
  });
});
