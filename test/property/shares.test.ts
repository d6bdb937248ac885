import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Shares } from "../../src/core/shares/shares.ts";
import type { SharesConfig } from "../../src/core/shares/types.ts";
import type { Ms } from "../../src/core/units.ts";
import { caps, Excess, meterSize, perMs, sum } from "./shares-bounds.ts";
import { type Bounds, configs, keepAsking, type Move, offer, takeAll, type Trace, traces } from "./shares-moves.ts";
import { deficitOf, SharesTwin } from "./shares-twin.ts";

const TINY = 1e-6;

function always(bounds: Bounds, check: (trace: Trace) => void, numRuns = 200): void {
  fc.assert(fc.property(traces(bounds), check), { numRuns });
}

/** Plays the moves; `seen` is told of each one, with its answer. Returns the time at the end. */
function play(
  shares: Shares,
  moves: readonly Move[],
  seen: (move: Move, kind: string, now: Ms) => void = () => {},
  start: Ms = 0,
): Ms {
  let now = start;
  for (const move of moves) {
    now += move.afterMs;
    const { kind } = offer(shares, move, now);
    if (kind !== "over" && move.surprise !== undefined) {
      shares.trueUp(move.share, move.member, move.surprise * move.cost, now, kind);
    }
    seen(move, kind, now);
  }
  return now;
}

describe("the shares, on random moves", () => {
  test("they say and owe what a fluid in buckets says and owes", () => {
    always(
      { maxCost: 80, surprises: true },
      ({ config, moves }) => {
        const shares = new Shares(config, 0);
        const twin = new SharesTwin(config);
        play(shares, moves, (move, kind, now) => {
          expect(twin.offer(move.share, move.member, move.cost, now)).toBe(kind);
          if (kind === "room" && move.surprise !== undefined) {
            twin.trueUp(move.share, move.member, move.surprise * move.cost, now);
          }
          if (kind === "unused" && move.surprise !== undefined) twin.meterOnly(move.surprise * move.cost);
          for (const { name, deficit } of shares.snapshot(now)) {
            const share = twin.shares.find((share) => share.name === name);
            expect(deficit).toBeCloseTo(share === undefined ? Number.NaN : deficitOf(share), 6);
          }
          expect(shares.meter(now).level).toBeCloseTo(twin.meter, 6);
        });
      },
      100,
    );
  });

  test("1: whoever always asks gets its floor less one grain, in every interval", () => {
    const parts = { maxCost: 20, surprises: true };
    fc.assert(
      fc.property(traces(parts), fc.nat(), ({ config, moves }, pick) => {
        const shares = new Shares(config, 0);
        const all = shares.snapshot(0);
        const mine = all[pick % all.length];
        if (mine === undefined) throw new Error("there is always a pool");
        const asked = { share: mine.name, member: "me", cost: 1 };
        let got = takeAll(shares, asked, 0);
        let most = got;
        let now = 0;
        for (const move of moves.filter(({ share }) => share !== mine.name)) {
          got += keepAsking(shares, config, asked, [now, now + move.afterMs]);
          now = play(shares, [move], undefined, now);
          got += takeAll(shares, asked, now);
          const ahead = got - (mine.floorPerMinute / 60_000) * now;
          expect(ahead).toBeGreaterThanOrEqual(most - 1 - TINY);
          most = Math.max(most, ahead);
        }
      }),
    );
  });

  test("2: all together get no more than the capacity, all bursts and the meter, in every interval", () => {
    always({}, ({ config, moves }) => {
      const excess = new Excess(perMs(config));
      play(new Shares(config, 0), moves, ({ cost }, kind, now) => excess.note(kind === "over" ? 0 : cost, now));
      expect(excess.largest).toBeLessThanOrEqual(caps(config) + meterSize(config) + TINY);
    });
    always({ maxCost: 200 }, ({ config, moves }) => {
      const excess = new Excess(perMs(config));
      play(new Shares(config, 0), moves, ({ cost }, kind, now) => excess.note(kind === "over" ? 0 : cost, now));
      const debtors = new Map<string, number>();
      for (const { share, member, cost } of moves) {
        const debtor = config.reservations.some(({ name, group }) => name === share && !group)
          ? share
          : `${share} ${member}`;
        debtors.set(debtor, Math.max(debtors.get(debtor) ?? 0, cost));
      }
      expect(excess.largest).toBeLessThanOrEqual(caps(config) + meterSize(config) + sum(debtors.values()) + TINY);
    });
  });

  test("2: a burst after every rest, beside somebody who lives on unused capacity, gets no more either", () => {
    fc.assert(
      fc.property(fc.integer({ min: 30, max: 95 }), fc.integer({ min: 2, max: 20 }), (percent, burstSeconds) => {
        const config: SharesConfig = {
          unitsPerMinute: 6_000,
          utilizationThreshold: 0.8,
          burstSeconds,
          meterSeconds: 10,
          typicalCost: 1,
          reservations: [{ name: "batch", fraction: percent / 100, group: false }],
        };
        const shares = new Shares(config, 0);
        const excess = new Excess(perMs(config));
        for (let now = 0; now < 120_000; now += 12.5) {
          excess.note(Number(offer(shares, { share: "pool", member: "dev", cost: 1 }, now).kind !== "over"), now);
          if (shares.snapshot(now)[0]?.deficit !== 0) continue;
          while (shares.check("batch", "", 1, now).kind === "room") {
            shares.charge("batch", "", 1, now, "room");
            excess.note(1, now);
          }
        }
        expect(excess.largest).toBeLessThanOrEqual(caps(config) + meterSize(config) + TINY);
      }),
      { numRuns: 30 },
    );
  });

  test("3: a refusal ends an interval in which more was admitted than the threshold and the meter allow", () => {
    always({ maxCost: 20 }, ({ config, moves }) => {
      const threshold = perMs(config) * config.utilizationThreshold;
      const admitted: { readonly at: Ms; readonly cost: number }[] = [];
      play(new Shares(config, 0), moves, ({ cost }, kind, now) => {
        if (kind !== "over") return void admitted.push({ at: now, cost });
        if (config.meterSeconds === 0) return;
        const most = admitted.reduceRight<{ total: number; excess: number }>(
          ({ total, excess }, { at, cost }) => ({
            total: total + cost,
            excess: Math.max(excess, total + cost - threshold * (now - at)),
          }),
          { total: 0, excess: 0 },
        );
        expect(most.excess).toBeGreaterThan(meterSize(config) - Math.min(1, cost) - TINY);
      });
    });
  });

  test("3: with demand below the threshold nobody is refused", () => {
    fc.assert(
      fc.property(traces({}), ({ config, moves }) => {
        fc.pre(config.meterSeconds > 0 && meterSize(config) >= 1);
        const shares = new Shares(config, 0);
        const stepMs = 1 / (perMs(config) * config.utilizationThreshold);
        const answers = moves.map((move, index) => offer(shares, { ...move, cost: 1 }, index * stepMs).kind);
        expect(answers).not.toContain("over");
      }),
    );
  });

  test("4: while somebody is refused at all times, all of the capacity flows, and nothing else", () => {
    always({ meter: false }, ({ config, moves }) => {
      const shares = new Shares(config, 0);
      const asked = { share: "pool", member: "me", cost: 1 };
      let admitted = takeAll(shares, asked, 0);
      let now = 0;
      for (const move of moves) {
        admitted += keepAsking(shares, config, asked, [now, now + move.afterMs]);
        now = play(shares, [move], (_, kind) => (admitted += Number(kind !== "over")), now);
        const missing = sum(shares.snapshot(now).map(({ deficit }) => deficit));
        expect(admitted).toBeCloseTo(perMs(config) * now + missing, 6);
      }
    });
  });

  test("6: a group lacks what its members lack, no deficit is below 0 or above its bound, and the hungry share C", () => {
    const maxCost = 50;
    always(
      { maxCost, surprises: true },
      ({ config, moves }) => {
        const shares = new Shares(config, 0);
        const twin = new SharesTwin(config);
        const isGroup = new Map(twin.shares.map(({ name, group }) => [name, group]));
        const members = [...new Set(moves.map(({ member }) => member))];
        play(shares, moves, (move, _, now) => {
          const all = shares.snapshot(now);
          for (const { name, deficit, burst } of all) {
            expect(deficit).toBeGreaterThanOrEqual(0);
            // Post-paid: above the bucket for as much as came in after it had room for a grain, and for what came to light.
            const charged = sum(moves.filter(({ share }) => share === name).map(({ cost }) => 2 * cost));
            expect(deficit).toBeLessThanOrEqual(burst + charged);
            if (isGroup.get(name) !== true) continue;
            const each = sum(members.map((member) => shares.deficitOf(name, member, now)));
            expect(each).toBeGreaterThanOrEqual(deficit - TINY);
          }
          const rates = all.filter(({ deficit }) => deficit > 0).map(({ ratePerMinute }) => ratePerMinute);
          expect(sum(rates)).toBeCloseTo(rates.length > 0 ? config.unitsPerMinute : 0, 6);
          expect(shares.rateOf(move.share, move.member)).toBeLessThanOrEqual(perMs(config) + TINY);
        });
      },
      60,
    );
    always({}, ({ config, moves }) => {
      const shares = new Shares(config, 0);
      const members = [...new Set(moves.map(({ member }) => member))];
      const twin = new SharesTwin(config);
      play(shares, moves, (_, __, now) => {
        for (const [index, { name, deficit, burst }] of shares.snapshot(now).entries()) {
          const { group = false, cap = 0 } = twin.shares[index] ?? {};
          expect(deficit).toBeLessThanOrEqual((group ? cap : burst) + TINY);
          if (!group) continue;
          expect(sum(members.map((member) => shares.deficitOf(name, member, now)))).toBeCloseTo(deficit, 6);
        }
      });
    });
  });

  test("7: looking on the way changes nothing", () => {
    const looks = fc.array(
      fc.nat(100).map((percent) => percent / 100),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(traces({ maxCost: 50, surprises: true }), looks, ({ config, moves }, looks) => {
        const watched = new Shares(config, 0);
        const alone = new Shares(config, 0);
        const kinds: string[] = [];
        const end = play(alone, moves, (_, kind) => kinds.push(kind));
        let now = 0;
        for (const [index, move] of moves.entries()) {
          for (const part of looks.toSorted((a, b) => a - b)) watched.snapshot(now + part * move.afterMs);
          now = play(watched, [move], (_, kind) => expect(kind).toBe(kinds[index]), now);
        }
        expect(deficits(watched, end)).toEqual(deficits(alone, end));
      }),
    );
  });

  test("7: the same question twice has the same answer", () => {
    always({ maxCost: 50, surprises: true }, ({ config, moves }) => {
      const shares = new Shares(config, 0);
      let now = 0;
      for (const move of moves) {
        const first = shares.check(move.share, move.member, move.cost, now + move.afterMs);
        expect(shares.check(move.share, move.member, move.cost, now + move.afterMs)).toEqual(first);
        now = play(shares, [move], (_, kind) => expect(kind).toBe(first.kind), now);
      }
    });
  });

  test("10: a shift in time changes nothing", () => {
    fc.assert(
      fc.property(traces({ maxCost: 50 }), fc.integer({ max: 1e9 }), ({ config, moves }, shift) => {
        // Whole milliseconds: their sums are exact wherever they begin.
        const whole = moves.map((move) => ({ ...move, afterMs: Math.round(move.afterMs) }));
        const kinds: string[] = [];
        play(new Shares(config, 0), whole, (_, kind) => kinds.push(kind));
        const shifted: string[] = [];
        play(new Shares(config, shift), whole, (_, kind) => shifted.push(kind), shift);
        expect(shifted).toEqual(kinds);
      }),
    );
  });

  test("10: nor does another unit of cost, while costs are below one grain and bursts above the least", () => {
    fc.assert(
      fc.property(traces({ minCapacity: 6_000 }), fc.integer({ min: 1, max: 4 }), ({ config, moves }, power) => {
        const k = 2 ** -power;
        const scaled = { ...config, unitsPerMinute: config.unitsPerMinute * k };
        fc.pre(Math.min(...new SharesTwin(scaled).shares.map(({ burst }) => burst)) > 4.001);
        const kinds: string[] = [];
        play(new Shares(config, 0), moves, (_, kind) => kinds.push(kind));
        const small = moves.map((move) => ({ ...move, cost: move.cost * k }));
        play(new Shares(scaled, 0), small, (_, kind) => expect(kind).toBe(kinds.shift()));
      }),
    );
  });

  test("11: an estimate that is made true owes as much as the truth", () => {
    fc.assert(
      fc.property(
        traces({ maxCost: 50 }),
        fc.nat(300).map((percent) => percent / 100),
        ({ config, moves }, guess) => {
          const guessed = new Shares(config, 0);
          const known = new Shares(config, 0);
          let now = 0;
          for (const move of moves) {
            now += move.afterMs;
            const { kind } = known.check(move.share, move.member, move.cost, now);
            if (kind === "over") continue;
            known.charge(move.share, move.member, move.cost, now, kind);
            guessed.charge(move.share, move.member, move.cost * guess, now, kind);
            guessed.trueUp(move.share, move.member, move.cost * (1 - guess), now, kind);
            if (kind === "unused") return; // how much of one grain fits depends on the guess
            expect(guessed.deficitOf(move.share, move.member, now)).toBeCloseTo(
              known.deficitOf(move.share, move.member, now),
              6,
            );
          }
        },
      ),
    );
  });

  test("11: what is given back is never more than was taken", () => {
    fc.assert(
      fc.property(traces({ maxCost: 50 }), fc.array(fc.boolean()), ({ config, moves }, refunds) => {
        const excess = new Excess(perMs(config));
        const shares = new Shares(config, 0);
        let now = 0;
        for (const [index, move] of moves.entries()) {
          now += move.afterMs;
          const before = sum(deficits(shares, now));
          const { kind } = offer(shares, move, now);
          if (kind === "over") continue;
          const isRefunded = refunds[index % refunds.length] === true;
          if (isRefunded) shares.trueUp(move.share, move.member, -move.cost, now, kind);
          expect(sum(deficits(shares, now))).toBeGreaterThanOrEqual(before - TINY);
          excess.note(isRefunded ? 0 : move.cost, now);
        }
        expect(excess.largest).toBeLessThanOrEqual(caps(config) + meterSize(config) + 50 * 25);
      }),
    );
  });

  test("12: a new configuration keeps the deficits, or shrinks them with their buckets, however often it changes", () => {
    fc.assert(
      fc.property(traces({ maxCost: 20 }), configs(), ({ config, moves }, other) => {
        const shares = new Shares(config, 0);
        const now = play(shares, moves);
        const isGroup = (part: SharesConfig, name: string): boolean | undefined =>
          name === "pool" || part.reservations.find((reservation) => reservation.name === name)?.group;
        let last = config;
        for (const next of [other, config, other]) {
          const before = new Map(shares.snapshot(now).map((share) => [share.name, share]));
          shares.reconfigure(next, now);
          for (const { name, deficit, burst } of shares.snapshot(now)) {
            const old = isGroup(last, name) === isGroup(next, name) ? before.get(name) : undefined;
            const taken = old?.deficit ?? 0;
            const [least, most] = bounds(taken, { before: old?.burst ?? 0, after: burst, group: isGroup(next, name) });
            expect(deficit).toBeGreaterThanOrEqual(least - TINY);
            expect(deficit).toBeLessThanOrEqual(most + TINY);
          }
          last = next;
        }
      }),
    );
  });

  test("12: whoever asks without a pause has its floor from the change on", () => {
    const plain = { meter: false };
    fc.assert(
      fc.property(configs(plain), configs(plain), (config, other) => {
        const shares = new Shares(config, 0);
        const names = shares.snapshot(0).map(({ name }) => name);
        const takeEach = (now: Ms): Map<string, number> =>
          new Map(names.map((share) => [share, takeAll(shares, { share, member: "ann", cost: 1 }, now)]));
        for (let now = 0; now < 5_000; now += 50) takeEach(now);
        shares.reconfigure({ ...other, reservations: redone(config, other) }, 5_000);
        const got = new Map(names.map((name) => [name, 0]));
        for (let now = 5_000; now <= 15_000; now += 50) {
          for (const [name, units] of takeEach(now)) got.set(name, (got.get(name) ?? 0) + units);
        }
        for (const { name, floorPerMinute } of shares.snapshot(15_000)) {
          expect(got.get(name)).toBeGreaterThanOrEqual(floorPerMinute / 6 - 1 - TINY);
        }
      }),
    );
  });

  test("12: nor does it grant anybody more than its burst", () => {
    const bounds = { meter: false };
    fc.assert(
      fc.property(traces(bounds), configs(bounds), ({ config, moves }, other) => {
        const shares = new Shares(config, 0);
        const now = play(shares, moves);
        for (const next of [other, config, other]) shares.reconfigure(next, now);
        for (const { name, cap, burst, group } of new SharesTwin(other).shares) {
          const before = shares.snapshot(now).find((share) => share.name === name)?.deficit ?? Number.NaN;
          const taken = sum(
            ["ann", "new", "x"].map((member) => takeAll(shares, { share: name, member, cost: 1 }, now)),
          );
          expect(taken).toBeLessThanOrEqual(Math.max(0, (group ? cap : burst) - before) + TINY);
        }
      }),
    );
  });
});

/** What may be left of a deficit when a bucket gets another size: all, but where it becomes smaller. */
function bounds(
  taken: number,
  { before, after, group }: { before: number; after: number; group: boolean | undefined },
): readonly [least: number, most: number] {
  if (after >= before) return [taken, taken];
  if (group === true) return [(taken * after) / before, taken];
  const left = Math.min(taken, after) + Math.max(0, taken - before);
  return [left, left];
}

/** The same names, each with a part of the other configuration's reservations. */
function redone({ reservations }: SharesConfig, other: SharesConfig): SharesConfig["reservations"] {
  const all = Math.max(0.1, sum(other.reservations.map(({ fraction }) => fraction)));
  const parts = reservations.map((_, index) => 1 + (index % 3));
  return reservations.map((one, index) => ({ ...one, fraction: (all * (parts[index] ?? 1)) / sum(parts) }));
}

function deficits(shares: Shares, now: Ms): number[] {
  return shares.snapshot(now).map(({ deficit }) => Math.round(deficit * 1e6) / 1e6);
}
