import { createRandom } from "../../src/core/random.ts";
import { POOL, type SharesConfig } from "../../src/core/shares/types.ts";
import type { Ms } from "../../src/core/units.ts";
import { idealShares } from "./shares-ideal.ts";
import type { Limiter } from "./shares-limiters.ts";
import { countIn, fullestWindow, merged, type Record, simulate, type Source } from "./shares-simulator.ts";

export const MINUTE: Ms = 60_000;

/** 1000 requests a minute; A, B and C are agents with a reservation, dev is in the pool. */
export const ARTICLE: SharesConfig = {
  unitsPerMinute: 1_000,
  utilizationThreshold: 0.8,
  burstSeconds: 5,
  meterSeconds: 10,
  typicalCost: 1,
  reservations: [
    { name: "A", fraction: 0.3, group: false },
    { name: "B", fraction: 0.2, group: false },
    { name: "C", fraction: 0.3, group: false },
  ],
};

/** Burst and meter that a deployment has if it does not say. */
export const DEFAULTS: SharesConfig = { ...ARTICLE, burstSeconds: 10, meterSeconds: 30 };

/** Burst and meter for those who want to see slight overload absorbed. */
export const ARTICLE_PROFILE: SharesConfig = { ...ARTICLE, burstSeconds: 10, meterSeconds: 60 };

const FLOORS = { A: 300, B: 200, C: 300, dev: 200 };
type Name = keyof typeof FLOORS;
const NAMES: readonly Name[] = ["A", "B", "C", "dev"];

interface Phase {
  readonly name: string;
  readonly minutes: number;
  /** Of A, B, C and dev, in requests per minute. */
  readonly rates: readonly number[];
  /** When dev begins, within the phase. */
  readonly devFromMinute?: number;
}

/** The six scenarios of the article: 17 minutes, one after the other, without a pause. */
export const PHASES: readonly Phase[] = [
  { name: "1 steady", minutes: 3, rates: [150, 150, 150, 150] },
  { name: "2 slight overload", minutes: 2, rates: [300, 300, 300, 300] },
  { name: "3 heavy overload", minutes: 3, rates: [1_800, 1_800, 1_800, 1_800] },
  { name: "4 extreme overload", minutes: 3, rates: [3_000, 3_000, 3_000, 3_000] },
  { name: "5 late joiner", minutes: 3, rates: [2_250, 2_250, 2_250, 2_250], devFromMinute: 1 },
  { name: "6 reserved only", minutes: 3, rates: [2_400, 2_400, 2_400, 0] },
];

export interface PhaseFigures {
  readonly phase: string;
  /** Admitted in the worst full minute, by consumer; NaN for one that sends nothing. */
  readonly worstMinute: readonly number[];
  /** The worst minute of any consumer, as part of its floor, or of what it offered if that was less. */
  readonly floor: number;
  /** The worst minute of all together, as part of the capacity, or of what was offered if that was less. */
  readonly utilisation: number;
  /** The fullest 60 s that end in the phase, as part of the capacity. */
  readonly fullest: number;
  /** Admitted of offered. */
  readonly success: number;
  /** Admitted in the whole phase, by consumer. */
  readonly served: readonly number[];
}

/** Runs the six scenarios and measures each. */
export function runArticle(limiter: Limiter, seed: number, phases: readonly Phase[] = PHASES): readonly PhaseFigures[] {
  const sources = NAMES.map((name, index): Source => {
    let at = 0;
    const stretches = phases.flatMap(({ minutes, rates, devFromMinute = 0 }) => {
      const from = at + (name === "dev" ? devFromMinute : 0) * MINUTE;
      at += minutes * MINUTE;
      return [
        { untilMs: from, perMinute: 0 },
        { untilMs: at, perMinute: rates[index] ?? 0 },
      ];
    });
    return { share: name === "dev" ? POOL : name, member: name, stretches };
  });
  const records = simulate({ sources, seed }, limiter);
  let from = 0;
  return phases.map(({ name, minutes }) => {
    const window: readonly [Ms, Ms] = [from, from + minutes * MINUTE];
    from += minutes * MINUTE;
    return figuresOf(name, records, window);
  });
}

function figuresOf(phase: string, records: readonly Record[], [from, to]: readonly [Ms, Ms]): PhaseFigures {
  const minutes = Array.from({ length: (to - from) / MINUTE }, (_, index) => from + index * MINUTE);
  const rows = minutes.map((start) =>
    records.map(({ asked, admitted }) => ({
      offered: countIn(asked, start, start + MINUTE),
      admitted: countIn(admitted, start, start + MINUTE),
    })),
  );
  const floors = rows.flatMap((row) =>
    row.map(({ offered, admitted }, index) => admitted / Math.min(FLOORS[NAMES[index] ?? "A"], offered)),
  );
  const totals = rows.map((row) => {
    const offered = sum(row.map(({ offered }) => offered));
    return sum(row.map(({ admitted }) => admitted)) / Math.min(ARTICLE.unitsPerMinute, offered);
  });
  const served = records.map(({ admitted }) => countIn(admitted, from, to));
  return {
    phase,
    worstMinute: records.map((_, index) =>
      Math.min(
        ...rows.map((row) => row[index]).map((cell) => (cell?.offered === 0 ? Infinity : (cell?.admitted ?? 0))),
      ),
    ),
    floor: Math.min(...floors.filter((part) => !Number.isNaN(part))),
    utilisation: Math.min(...totals),
    fullest:
      fullestWindow(
        merged(records).filter((time) => time >= from - MINUTE && time < to),
        MINUTE,
      ) / ARTICLE.unitsPerMinute,
    success: sum(served) / sum(records.map(({ asked }) => countIn(asked, from, to))),
    served,
  };
}

/** Somebody in a scenario that is compared with the ideal. */
export interface Contender {
  readonly share: string;
  readonly member: string;
  readonly perMinute: number;
}

export interface Compared extends Contender {
  /** Per minute. */
  readonly admitted: number;
  readonly ideal: number;
}

/** Admitted per minute beside exact max–min of what was offered, from minute 2 to 9. */
export function compare(config: SharesConfig, contenders: readonly Contender[], run: Comparison): readonly Compared[] {
  const untilMs = 9 * MINUTE;
  const sources = contenders.map(({ share, member, perMinute }) => ({
    share,
    member,
    stretches: [{ untilMs, perMinute }],
  }));
  const perMinute = (times: readonly Ms[]): number => countIn(times, 2 * MINUTE, untilMs) / 7;
  const rows = simulate({ sources, seed: run.seed }, run.limiter).map(({ asked, admitted }) => ({
    offered: perMinute(asked),
    admitted: perMinute(admitted),
  }));
  const reserved = sum(config.reservations.map(({ fraction }) => fraction));
  const shares = [...config.reservations, { name: POOL, fraction: Math.max(0.001, 1 - reserved) }].map(
    ({ name, fraction }) => ({
      weight: fraction,
      indices: contenders.flatMap(({ share }, index) => (share === name ? [index] : [])),
    }),
  );
  const ideals = idealShares(
    config.unitsPerMinute,
    shares.map(({ weight, indices }) => ({ weight, demands: indices.map((index) => rows[index]?.offered ?? 0) })),
  );
  return contenders.map((contender, index) => {
    const share = shares.findIndex(({ indices }) => indices.includes(index));
    const ideal = ideals[share]?.[shares[share]?.indices.indexOf(index) ?? -1] ?? Number.NaN;
    return { ...contender, admitted: rows[index]?.admitted ?? Number.NaN, ideal };
  });
}

export interface Comparison {
  readonly limiter: Limiter;
  readonly seed: number;
}

/** 7: capacity is partly free. */
export const PARTIAL_DEMAND: readonly Contender[] = [
  { share: "A", member: "A", perMinute: 30 },
  { share: "B", member: "B", perMinute: 1_000 },
  { share: "C", member: "C", perMinute: 400 },
  { share: POOL, member: "dev", perMinute: 6_000 },
];

const SATURATING: readonly Contender[] = ["A", "B", "C"].map((name) => ({
  share: name,
  member: name,
  perMinute: 2_400,
}));

/** 8: an intern's loop beside four users of the pool. */
export const INTERN: readonly Contender[] = [
  ...SATURATING,
  { share: POOL, member: "intern", perMinute: 6_000 },
  ...["u1", "u2", "u3"].map((member) => ({ share: POOL, member, perMinute: 60 })),
  { share: POOL, member: "u4", perMinute: 15 },
];

/** 8b: the same beside forty. */
export const MANY_USERS: readonly Contender[] = [
  ...SATURATING,
  { share: POOL, member: "intern", perMinute: 6_000 },
  ...Array.from({ length: 40 }, (_, index) => ({ share: POOL, member: `u${index}`, perMinute: 10 })),
];

/** A random configuration with groups and a pool, and random demand. */
export function randomContest(seed: number): {
  readonly config: SharesConfig;
  readonly contenders: readonly Contender[];
} {
  const random = createRandom(seed);
  const capacity = 1_000 + random() * 4_000;
  const parts = Array.from({ length: 1 + Math.floor(random() * 4) }, () => 0.2 + random());
  const reserved = 0.4 + random() * 0.5;
  const reservations = parts.map((part, index) => ({
    name: `s${index}`,
    fraction: (part / sum(parts)) * reserved,
    group: random() < 0.3,
  }));
  const groups = [...reservations, { name: POOL, fraction: 1 - reserved, group: true }];
  const contenders = groups.flatMap(({ name, fraction, group }) => {
    const count = group ? 1 + Math.floor(random() * 4) : 1;
    return Array.from({ length: count }, (_, index) => ({
      share: name,
      member: `m${index}`,
      perMinute: (capacity * fraction * 0.1 * 200 ** random()) / count,
    }));
  });
  return { config: { ...DEFAULTS, unitsPerMinute: capacity, reservations }, contenders };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
