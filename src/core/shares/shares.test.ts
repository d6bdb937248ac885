import { describe, expect, test } from "vitest";
import type { Ms } from "../units.ts";
import { Shares } from "./shares.ts";
import { POOL, type ShareSnapshot, type SharesConfig, type ShareVerdict } from "./types.ts";

/** One unit per 100 ms. Bursts: A 30, B 20 (a group), the pool 50. */
const CONFIG: SharesConfig = {
  unitsPerMinute: 600,
  utilizationThreshold: 0.5,
  burstSeconds: 10,
  meterSeconds: 0,
  typicalCost: 1,
  reservations: [
    { name: "A", fraction: 0.3, group: false },
    { name: "B", fraction: 0.2, group: true },
  ],
};

const METERED: SharesConfig = { ...CONFIG, meterSeconds: 20 };

function offer(shares: Shares, [share, member]: readonly [string, string], cost: number, now: Ms): ShareVerdict {
  const verdict = shares.check(share, member, cost, now);
  if (verdict.kind !== "over") shares.charge(share, member, cost, now, verdict.kind);
  return verdict;
}

/** How many requests of one unit get in before one does not. */
function take(shares: Shares, who: readonly [string, string], now: Ms, kind: string = "room"): number {
  let taken = 0;
  while (shares.check(who[0], who[1], 1, now).kind === kind) {
    offer(shares, who, 1, now);
    taken += 1;
  }
  return taken;
}

function of(shares: Shares, name: string, now: Ms): ShareSnapshot {
  const snapshot = shares.snapshot(now).find((share) => share.name === name);
  if (snapshot === undefined) throw new Error(`no share ${name}`);
  return snapshot;
}

const A = ["A", "a"] as const;

describe("a share", () => {
  test("takes its burst at once, then as much as flows in", () => {
    const shares = new Shares(CONFIG, 0);
    expect(take(shares, A, 0)).toBe(30);
    expect(shares.check("A", "a", 1, 0)).toEqual({ kind: "over", retryMs: expect.closeTo(100, 5) });
    expect(take(shares, A, 1_000)).toBe(10);
  });

  test("gets all of the capacity while the others are full, and its part while they are not", () => {
    const shares = new Shares(CONFIG, 0);
    expect(shares.rateOf("A", "a")).toBeCloseTo(0.01);
    take(shares, A, 0);
    take(shares, [POOL, "dev"], 0);
    expect(shares.rateOf("A", "a")).toBeCloseTo((0.01 * 0.3) / 0.8);
    expect(shares.rateOf("B", "b")).toBeCloseTo(0.01 * 0.2);
    expect(of(shares, "A", 0)).toMatchObject({ floorPerMinute: 180, activeMembers: 1 });
  });

  test("lets a request in that is larger than its burst, and has nothing until it has flowed back", () => {
    const shares = new Shares(CONFIG, 0);
    expect(offer(shares, A, 500, 0)).toEqual({ kind: "room" });
    expect(of(shares, "A", 0)).toMatchObject({ deficit: 500, available: 0 });
    expect(shares.check("A", "a", 500, 0)).toEqual({ kind: "over", retryMs: expect.closeTo(47_100, 3) });
  });

  test("consumes nothing by a refusal", () => {
    const shares = new Shares(CONFIG, 0);
    take(shares, A, 0);
    for (let time = 0; time < 1_000; time++) shares.check("A", "a", 1, 50);
    expect(shares.check("A", "a", 1, 99.999).kind).toBe("over");
    expect(shares.check("A", "a", 1, 100).kind).toBe("room");
  });

  test("holds at least four requests, however small it is", () => {
    const tiny = [{ name: "A", fraction: 0.001, group: false }];
    expect(take(new Shares({ ...CONFIG, reservations: tiny }, 0), A, 0)).toBe(4);
    const tokens = new Shares({ ...CONFIG, typicalCost: 1_000, reservations: tiny }, 0);
    expect(of(tokens, "A", 0).burst).toBeCloseTo(4_000);
  });

  test("of everybody else keeps a thousandth when all is reserved", () => {
    const shares = new Shares({ ...CONFIG, reservations: [{ name: "A", fraction: 1, group: false }] }, 0);
    expect(of(shares, POOL, 0).fraction).toBeCloseTo(0.001 / 1.001);
    expect(of(shares, "A", 0).fraction).toBeCloseTo(1 / 1.001);
  });

  test("does not notice that time goes back", () => {
    const shares = new Shares(CONFIG, 1_000);
    take(shares, A, 1_000);
    expect(take(shares, A, 0)).toBe(0);
    expect(take(shares, A, 1_100)).toBe(1);
  });
});

describe("a group", () => {
  test("gives one member half of its burst, and each newcomer half of what is left", () => {
    const shares = new Shares(CONFIG, 0);
    expect(["m1", "m2", "m3", "m4"].map((member) => take(shares, [POOL, member], 0))).toEqual([25, 13, 6, 3]);
  });

  test("lets somebody without deficit in when the burst is used up", () => {
    const shares = new Shares(CONFIG, 0);
    for (let index = 0; index < 60; index++) take(shares, [POOL, `m${index}`], 0);
    expect(of(shares, POOL, 0).available).toBe(0);
    expect(shares.check(POOL, "m1", 1, 0).kind).toBe("over");
    expect(shares.check(POOL, "new", 1, 0).kind).toBe("room");
  });

  test("tells somebody without deficit when there is room below its cap", () => {
    // Burst and cap of the pool are 4, and it gets a hundredth of a unit in 100 ms.
    const shares = new Shares({ ...CONFIG, reservations: [{ name: "A", fraction: 0.99, group: false }] }, 0);
    take(shares, A, 0);
    expect(["m1", "m2", "m3", "m4"].map((member) => take(shares, [POOL, member], 0))).toEqual([2, 1, 1, 0]);
    expect(shares.check(POOL, "m4", 1, 0)).toEqual({ kind: "over", retryMs: expect.closeTo(10_000, 3) });
  });

  test("charges a giant request in instalments, which delay nobody but its member", () => {
    const shares = new Shares(CONFIG, 0);
    offer(shares, [POOL, "giant"], 1_000, 0);
    expect(of(shares, POOL, 0).deficit).toBeCloseTo(25);
    expect(shares.deficitOf(POOL, "giant", 0)).toBeCloseTo(1_000);
    for (let now = 0; now < 60_000; now += 400) expect(offer(shares, [POOL, "light"], 1, now).kind).toBe("room");
    expect(shares.check(POOL, "giant", 1, 60_000).kind).toBe("over");
  });

  test("says when whoever pays instalments is let in again", () => {
    const shares = new Shares(CONFIG, 0);
    offer(shares, [POOL, "giant"], 1_000, 0);
    const verdict = shares.check(POOL, "giant", 1, 0);
    const retryMs = verdict.kind === "over" ? verdict.retryMs : Number.NaN;
    // 25 at once, 155 instalments of 6.25, and the last one of 6.25, which is due by then.
    expect(retryMs).toBeCloseTo(99_375, 2);
    expect(shares.check(POOL, "giant", 1, retryMs - 0.001).kind).toBe("over");
    expect(shares.check(POOL, "giant", 1, retryMs + 0.001).kind).toBe("room");
  });

  test("has no record of members that are full", () => {
    const shares = new Shares(CONFIG, 0);
    let most = 0;
    for (let index = 0; index < 100_000; index++) {
      offer(shares, [POOL, `m${index}`], 1, index * 100);
      if (index % 1_000 === 0) most = Math.max(most, of(shares, POOL, index * 100).activeMembers);
    }
    expect(most).toBeLessThanOrEqual(2);
    expect(of(shares, POOL, 1e7 + 100).activeMembers).toBe(0);
  });
});

describe("unused capacity", () => {
  test("is given to whoever asks, until the meter is full", () => {
    const shares = new Shares(METERED, 0);
    expect(take(shares, A, 0)).toBe(30);
    expect(take(shares, A, 0, "unused")).toBe(70);
    expect(shares.meter(0)).toEqual({ level: 100, size: expect.closeTo(100), enforced: true });
    expect(shares.check("A", "a", 1, 0).kind).toBe("over");
    expect(of(shares, "A", 0).deficit).toBeCloseTo(30);
  });

  test("is charged to nobody, whatever it turns out to cost, and gives nothing back", () => {
    const shares = new Shares(METERED, 0);
    take(shares, A, 0);
    expect(offer(shares, A, 10, 0).kind).toBe("unused");
    shares.trueUp("A", "a", -10, 0, "unused");
    expect(shares.check("A", "a", 1, 0).kind).toBe("unused");
    expect(shares.deficitOf("A", "a", 0)).toBeCloseTo(30);
    expect(shares.meter(0).level).toBe(30);
    shares.trueUp("A", "a", 500, 0, "unused");
    expect(shares.deficitOf("A", "a", 0)).toBeCloseTo(30);
    expect(shares.check("A", "a", 1, 0).kind).toBe("over");
  });

  test("is gone at once when demand is above the threshold again within two seconds", () => {
    const shares = new Shares(METERED, 0);
    for (const share of ["A", POOL]) offer(shares, [share, "x"], 1_000, 0);
    // All deficits are gone after 200 s, and the meter is over its size by two seconds of its leak.
    expect(shares.meter(199_000).enforced).toBe(true);
    expect(shares.meter(200_000).level).toBeCloseTo(110);
    expect(shares.meter(202_000).level).toBeCloseTo(100);
    expect(shares.meter(202_300).enforced).toBe(false);
  });

  test("does not exist without a meter", () => {
    expect(new Shares(CONFIG, 0).meter(0)).toEqual({ level: 0, size: 0, enforced: true });
  });
});

describe("the truth", () => {
  test("is charged in full when it is more, and given back when it is less, up to a full bucket", () => {
    const shares = new Shares(CONFIG, 0);
    offer(shares, A, 10, 0);
    shares.trueUp("A", "a", 15, 0, "room");
    expect(shares.deficitOf("A", "a", 0)).toBeCloseTo(25);
    shares.trueUp("A", "a", -5, 0, "room");
    expect(shares.deficitOf("A", "a", 0)).toBeCloseTo(20);
    shares.trueUp("A", "a", -100, 0, "room");
    expect(shares.deficitOf("A", "a", 0)).toBe(0);
    expect(take(shares, A, 0)).toBe(30);
  });

  test("of a giant request is taken from what is owed first", () => {
    const shares = new Shares(CONFIG, 0);
    offer(shares, [POOL, "giant"], 1_000, 0);
    shares.trueUp(POOL, "giant", -990, 0, "room");
    expect(shares.deficitOf(POOL, "giant", 0)).toBeCloseTo(10);
    expect(of(shares, POOL, 0).deficit).toBeCloseTo(10);
    expect(shares.check(POOL, "giant", 1, 0).kind).toBe("room");
  });
});

describe("a new configuration", () => {
  test("keeps deficits in units, of shares and of members", () => {
    const shares = new Shares(METERED, 0);
    offer(shares, A, 20, 0);
    offer(shares, [POOL, "giant"], 1_000, 0);
    shares.reconfigure(
      { ...METERED, unitsPerMinute: 1_200, reservations: [{ name: "A", fraction: 0.6, group: false }] },
      0,
    );
    expect(shares.deficitOf("A", "a", 0)).toBeCloseTo(20);
    expect(shares.deficitOf(POOL, "giant", 0)).toBeCloseTo(1_000);
    expect(of(shares, "A", 0)).toMatchObject({ burst: expect.closeTo(120), available: expect.closeTo(100) });
    expect(() => shares.check("B", "b", 1, 0)).toThrow('there is no share "B"');
    // 0.02 a millisecond, for as long as both are hungry: 20 units of A flow back at 0.6 of it.
    expect(shares.deficitOf("A", "a", 1_000)).toBeCloseTo(8);
  });

  test("has a share that took more than its new bucket holds find that empty, and its new floor from then on", () => {
    const shares = new Shares(CONFIG, 0);
    take(shares, A, 0);
    shares.reconfigure({ ...CONFIG, unitsPerMinute: 60 }, 0);
    expect(of(shares, "A", 0)).toMatchObject({ burst: expect.closeTo(4), deficit: expect.closeTo(4) });
    expect(shares.check("A", "a", 1, 900).kind).toBe("over");
    expect(shares.check("A", "a", 1, 1_000).kind).toBe("room");
  });

  test("keeps what a share owes beyond its bucket", () => {
    const shares = new Shares(CONFIG, 0);
    offer(shares, A, 100, 0);
    shares.reconfigure({ ...CONFIG, unitsPerMinute: 60 }, 0);
    expect(of(shares, "A", 0)).toMatchObject({ deficit: expect.closeTo(4 + 70) });
  });

  test("fills a share that becomes a group, or stops being one", () => {
    const shares = new Shares(CONFIG, 0);
    take(shares, A, 0);
    shares.reconfigure({ ...CONFIG, reservations: [{ name: "A", fraction: 0.3, group: true }] }, 0);
    expect(of(shares, "A", 0)).toMatchObject({ deficit: 0, activeMembers: 0 });
  });
});

test("rounding does not add up: after two days of overload, all that was admitted has flowed in or is missing", () => {
  const shares = new Shares(CONFIG, 0);
  const who = [A, ["B", "b"], [POOL, "m1"], [POOL, "m2"]] as const;
  // All capacity counts from the start on when all buckets are empty.
  let admitted = who.reduce((sum, asked) => sum + take(shares, asked, 0), 0);
  let now = 0;
  for (let step = 0; step < 400_000; step++, now += 400) {
    const asked = who[step % who.length] ?? A;
    if (offer(shares, asked, 1 + (step % 10), now).kind === "room") admitted += 1 + (step % 10);
  }
  const owed = ["m1", "m2"].reduce((sum, member) => sum + shares.deficitOf(POOL, member, now), 0);
  const missing = shares.deficitOf("A", "a", now) + shares.deficitOf("B", "b", now) + owed;
  expect(admitted - missing).toBeCloseTo(now * 0.01, 5);
});
