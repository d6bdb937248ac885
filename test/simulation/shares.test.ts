import { describe, expect, test } from "vitest";
import { POOL, type SharesConfig } from "../../src/core/shares/types.ts";
import { FairShares } from "./shares-limiters.ts";
import {
  ARTICLE,
  ARTICLE_PROFILE,
  compare,
  type Compared,
  type Contender,
  DEFAULTS,
  INTERN,
  MANY_USERS,
  MINUTE,
  PARTIAL_DEMAND,
  type PhaseFigures,
  PHASES,
  randomContest,
  runArticle,
} from "./shares-scenarios.ts";
import { countIn, simulate, type Source } from "./shares-simulator.ts";

/*
 * The scenarios are those of DataRobot's article on quota reservations, and four of our own. All sources are Poisson and
 * send whatever becomes of them. The figures in brackets are the worst or the mean of ten seeds, as measured.
 */

const SEEDS = Array.from({ length: 10 }, (_, index) => index + 1);

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

describe("the six scenarios of the article, in 17 minutes, ten seeds", () => {
  const runs = SEEDS.map((seed) => runArticle(new FairShares(ARTICLE), seed));
  const of = (phase: number): PhaseFigures[] =>
    runs.map((run) => run[phase - 1]).filter((figures) => figures !== undefined);

  test("steady: nobody is refused", () => {
    expect(of(1).map(({ success }) => success)).toEqual(SEEDS.map(() => 1));
  });

  test.each([
    { phase: 3, measured: "floor 0.995, utilisation 0.999, fullest 1.056" },
    { phase: 4, measured: "floor 0.995, utilisation 0.999, fullest 1.004" },
    { phase: 5, measured: "floor 0.995, utilisation 0.990, fullest 1.012" },
    { phase: 6, measured: "floor 1.237, utilisation 0.990, fullest 1.003" },
  ])(
    "overload, scenario $phase: the worst full minute of anybody is 99 % of its floor, of all 98.5 % ($measured)",
    ({ phase }) => {
      const figures = of(phase);
      expect(figures.length).toBe(SEEDS.length);
      expect(Math.min(...figures.map(({ floor }) => floor))).toBeGreaterThanOrEqual(0.99);
      expect(Math.min(...figures.map(({ utilisation }) => utilisation))).toBeGreaterThanOrEqual(0.985);
    },
  );

  test("no 60 s of all 17 minutes hold more than 1.10 of the capacity (1.094, at slight overload)", () => {
    expect(Math.max(...runs.flat().map(({ fullest }) => fullest))).toBeLessThanOrEqual(1.1);
  });

  test("A, with 30 %, is served more than B, with 20 %, in the ratio of 3 to 2, wherever both have enough to send", () => {
    for (const { served } of [...of(3), ...of(4), ...of(5), ...of(6)]) {
      const [A = 0, B = 0, C = 0] = served;
      expect(A / B).toBeGreaterThan(1.5 * 0.95);
      expect(A / B).toBeLessThan(1.5 * 1.05);
      expect(C / A).toBeCloseTo(1, 1);
    }
    expect(PHASES.length).toBe(6);
  });

  test("late joiner: dev is confined to the pool, and the agents keep their floors", () => {
    for (const { worstMinute } of of(5)) {
      const [A = 0, B = 0, C = 0] = worstMinute;
      expect(A).toBeGreaterThanOrEqual(297);
      expect(B).toBeGreaterThanOrEqual(198);
      expect(C).toBeGreaterThanOrEqual(297);
    }
    // One minute without dev, two with: 2 * 200, and a burst.
    expect(Math.max(...of(5).map(({ served }) => served[3] ?? 0))).toBeLessThanOrEqual(2 * 200 + 17);
  });
});

describe("slight overload", () => {
  const success = (config: SharesConfig): number[] =>
    SEEDS.map((seed) => runArticle(new FairShares(config), seed, PHASES.slice(0, 2))).map(
      (run) => run[1]?.success ?? Number.NaN,
    );

  // The meter takes 60 s * 0.8 / (1.2 - 0.8) = 120 s on average: just what the scenario lasts, and chance decides.
  test("a meter of 60 s absorbs two minutes of it but for some 1 % (worst 0.971, mean 0.990)", () => {
    expect(Math.min(...success(ARTICLE_PROFILE))).toBeGreaterThanOrEqual(0.97);
    expect(mean(success(ARTICLE_PROFILE))).toBeGreaterThanOrEqual(0.985);
  });

  test("a meter of 70 s absorbs all of it", () => {
    expect(success({ ...ARTICLE_PROFILE, meterSeconds: 70 })).toEqual(SEEDS.map(() => 1));
  });
});

describe("beyond the article, beside exact max–min of what was offered", () => {
  const contest = (contenders: readonly Contender[]): readonly (readonly Compared[])[] =>
    SEEDS.map((seed) => compare(DEFAULTS, contenders, { limiter: new FairShares(DEFAULTS), seed }));
  const ratios = (runs: readonly (readonly Compared[])[], member: string): number =>
    mean(
      runs.map((run) => {
        const row = run.find((row) => row.member === member);
        return (row?.admitted ?? Number.NaN) / (row?.ideal ?? Number.NaN);
      }),
    );

  test.each([
    { scenario: "7, partial demand", contenders: PARTIAL_DEMAND, measured: "0.999 to 1.000" },
    { scenario: "8, an intern's loop in the pool", contenders: INTERN, measured: "0.994 to 1.007" },
  ])("$scenario: everybody gets the ideal within 3 % ($measured)", ({ contenders }) => {
    const runs = contest(contenders);
    for (const { member } of contenders) expect(Math.abs(ratios(runs, member) - 1)).toBeLessThanOrEqual(0.03);
  });

  test("8b, the loop beside forty users: each gets its fair 4.9 a minute within 3 % on average (0.994), and the loop what is left", () => {
    const runs = contest(MANY_USERS);
    const users = MANY_USERS.filter(({ member }) => member.startsWith("u"));
    expect(Math.abs(mean(users.map(({ member }) => ratios(runs, member))) - 1)).toBeLessThanOrEqual(0.03);
    expect(ratios(runs, "intern")).toBeLessThanOrEqual(1.25);
  });

  test("9, reclaiming: what is idle is lent in full, and comes back at once with a burst on top", () => {
    const joinMs = 3 * MINUTE;
    const source = (share: string, from: number, perMinute: number): Source => ({
      share,
      member: share,
      stretches: [
        { untilMs: from, perMinute: 0 },
        { untilMs: 6 * MINUTE, perMinute },
      ],
    });
    const sources = [source("A", joinMs, 1_800), ...["B", "C", POOL].map((share) => source(share, 0, 2_400))];
    for (const seed of SEEDS) {
      const [A, ...others] = simulate({ sources, seed }, new FairShares(DEFAULTS));
      const lent = others.reduce((sum, { admitted }) => sum + countIn(admitted, joinMs - MINUTE, joinMs), 0);
      expect(Math.abs(lent / 1_000 - 1)).toBeLessThanOrEqual(0.03);
      for (const seconds of [1, 5, 10, 30, 60]) {
        const offered = countIn(A?.asked ?? [], joinMs, joinMs + seconds * 1_000);
        const admitted = countIn(A?.admitted ?? [], joinMs, joinMs + seconds * 1_000);
        expect(admitted).toBeGreaterThanOrEqual(Math.min(offered, 5 * seconds));
      }
      const settled = countIn(A?.admitted ?? [], joinMs + MINUTE, joinMs + 2 * MINUTE);
      expect(Math.abs(settled / 300 - 1)).toBeLessThanOrEqual(0.03);
    }
  });

  test("10, bursts below the threshold: nobody is refused; without the meter 1040 of 1200 would be", () => {
    const untilMs = 5 * MINUTE;
    const stretches = [{ untilMs, perMinute: 120 }];
    const dev: Source = { share: POOL, member: "dev", stretches: [{ untilMs, perMinute: 240 }], burst: 60 };
    const sources = [...["A", "B", "C"].map((share) => ({ share, member: share, stretches })), dev];
    const refused = (config: SharesConfig, seed: number): number[] =>
      simulate({ sources, seed }, new FairShares(config)).map(({ asked, admitted }) => asked.length - admitted.length);
    for (const seed of SEEDS) {
      expect(refused(DEFAULTS, seed)).toEqual([0, 0, 0, 0]);
      expect(refused({ ...ARTICLE, meterSeconds: 0 }, seed)[3]).toBeGreaterThan(900);
    }
  });

  // A Poisson stream that asks for just what it is entitled to loses what its burst does not hold: the worst cases.
  test("60 random configurations: the median is 1.00 of the ideal, the worst of 370 at least 0.92 (0.948)", () => {
    const got = SIXTY.flatMap((seed) => {
      const { config, contenders } = randomContest(seed);
      return compare(config, contenders, { limiter: new FairShares(config), seed });
    });
    const parts = got.map(({ admitted, ideal }) => admitted / ideal).sort((a, b) => a - b);
    expect(parts.length).toBeGreaterThan(300);
    expect(parts[Math.floor(parts.length / 2)]).toBeCloseTo(1, 2);
    expect(parts[0]).toBeGreaterThanOrEqual(0.92);
  });
});

const SIXTY = Array.from({ length: 60 }, (_, index) => index + 1);
