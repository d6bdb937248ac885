import { formatSpan } from "../numbers.ts";
import type { Figures, Report, Side } from "../types.ts";
import { verdictOf } from "../verdict.ts";
import { DIFF_METRICS, type DiffMetric, type DiffUnit } from "./metrics.ts";

/** What is taken for noise. */
export interface Noise {
  /** Times, rates and large counts: this part of the smaller one. */
  readonly relative: number;
  /** Ratios: so much of the whole, 0.005 is half a percentage point. */
  readonly points: number;
  /** Times: at least so long, too. */
  readonly ms: number;
}

const MOST_NAMED = 5;

const NOISE: Noise = { relative: 0.05, points: 0.005, ms: 1 };

/** Runs whose lengths differ by more than this part have counts that cannot be compared. */
const ALIKE = 0.05;

/** A figure in both reports that is not the same, noise aside. */
export interface Difference {
  readonly side: string;
  /** null: over the whole run. */
  readonly phase: string | null;
  /** null: of all together. */
  readonly consumer: string | null;
  readonly metric: string;
  readonly unit: DiffUnit;
  readonly before: number | null;
  readonly after: number | null;
  /** Of the value before; of ratios the difference itself; null where one is missing or it was 0. */
  readonly change: number | null;
  readonly judgement: "better" | "worse" | "changed";
}

export interface ReportDiff {
  readonly noise: Noise;
  /** Why the two may not be comparable, in words. */
  readonly warnings: readonly string[];
  /** How many figures both have. */
  readonly compared: number;
  readonly differences: readonly Difference[];
}

/**
 * Compares two reports figure by figure: of all together and of each consumer, over the whole run and in each phase. Sides,
 * phases and consumers are matched by name; the only side of each matches whatever it is called.
 */
export function diffReports(before: Report, after: Report, noise: Noise = NOISE): ReportDiff {
  const pairs = matchSides(before, after);
  const compared = pairs.flatMap(([a, b]) => matchFigures(a, b)).flatMap((pair) => compare(pair));
  return {
    noise,
    warnings: [...new Set([...doubts(before, after), ...unmatched(before, after, pairs)])],
    compared: compared.length,
    differences: compared.flatMap((pair) => judge(pair, noise)),
  };
}

interface Place {
  readonly side: string;
  readonly phase: string | null;
  readonly consumer: string | null;
}

interface FiguresPair extends Place {
  readonly before: Figures;
  readonly after: Figures;
}

interface ValuePair extends Place {
  readonly metric: DiffMetric;
  readonly before: number | null;
  readonly after: number | null;
}

function matchSides(before: Report, after: Report): readonly (readonly [Side, Side])[] {
  const [a, b] = [before.sides[0], after.sides[0]];
  if (before.sides.length === 1 && after.sides.length === 1 && a !== undefined && b !== undefined) return [[a, b]];
  return before.sides.flatMap((side) => {
    const other = after.sides.find(({ name }) => name === side.name);
    return other === undefined ? [] : [[side, other] as const];
  });
}

function matchFigures(before: Side, after: Side): readonly FiguresPair[] {
  const side = after.name;
  const phases = before.phases.flatMap((a, index): readonly [string, number, number][] => {
    const other = after.phases.findIndex(({ name }) => name === a.name);
    return other === -1 ? [] : [[a.name, index, other]];
  });
  const consumers = before.consumers.flatMap((a) => {
    const b = after.consumers.find(({ name }) => name === a.name);
    return b === undefined ? [] : [[a, b] as const];
  });
  const pair = (
    phase: string | null,
    consumer: string | null,
    a: Figures | undefined,
    b: Figures | undefined,
  ): readonly FiguresPair[] =>
    a === undefined || b === undefined ? [] : [{ side, phase, consumer, before: a, after: b }];
  return [
    ...pair(null, null, before.total, after.total),
    ...phases.flatMap(([name, a, b]) => pair(name, null, before.phases[a], after.phases[b])),
    ...consumers.flatMap(([a, b]) => pair(null, b.name, a, b)),
    ...phases.flatMap(([name, i, j]) => consumers.flatMap(([a, b]) => pair(name, b.name, a.phases[i], b.phases[j]))),
  ];
}

function compare({ before, after, ...place }: FiguresPair): readonly ValuePair[] {
  return DIFF_METRICS.map((metric) => ({
    ...place,
    metric,
    before: metric.of(before),
    after: metric.of(after),
  })).filter((pair) => pair.before !== null || pair.after !== null);
}

function judge({ metric, before, after, ...place }: ValuePair, noise: Noise): readonly Difference[] {
  if (!differs(metric, before, after, noise)) return [];
  const { name, unit, better } = metric;
  return [
    {
      ...place,
      metric: name,
      unit,
      before,
      after,
      change: changeOf(unit, before, after, noise),
      judgement: judgementOf(better, before, after),
    },
  ];
}

function differs({ unit, better }: DiffMetric, before: number | null, after: number | null, noise: Noise): boolean {
  // What is unknown on one side has too few answers there, or was not measured: success tells that already.
  if (before === null || after === null || before === after) return false;
  const gap = Math.abs(after - before);
  const relative = gap / Math.min(before, after);
  switch (unit) {
    case "ratio":
      return gap >= noise.points;
    case "ms":
      return gap >= noise.ms && relative >= noise.relative;
    case "rate":
      return relative >= noise.relative;
    case "count":
      // One request that fails more is news; one that is sent more is chance.
      return better !== null || relative >= noise.relative;
  }
}

function changeOf(unit: DiffUnit, before: number | null, after: number | null, noise: Noise): number | null {
  if (before === null || after === null) return null;
  if (unit === "ratio") return after - before;
  // Of next to nothing everything is a million times more.
  const least = unit === "ms" ? noise.ms : 0;
  return before <= least ? null : (after - before) / before;
}

function judgementOf(
  better: DiffMetric["better"],
  before: number | null,
  after: number | null,
): Difference["judgement"] {
  if (better === null || before === null || after === null) return "changed";
  return after > before === (better === "higher") ? "better" : "worse";
}

function doubts(before: Report, after: Report): readonly string[] {
  const keys = ["name", "target", "mode", "seed", "speed", "window_s"] as const;
  const differing = keys.filter((key) => before.scenario[key] !== after.scenario[key]);
  return [
    ...differing.map(
      (key) => `${key === "name" ? "scenario" : key} differs: ${before.scenario[key]} and ${after.scenario[key]}`,
    ),
    ...lengths(before, after),
    ...(verdictOf(before).kind === "invalid" ? ["the first run is invalid: its generator did not keep up"] : []),
    ...(verdictOf(after).kind === "invalid" ? ["the second run is invalid: its generator did not keep up"] : []),
  ];
}

function lengths(before: Report, after: Report): readonly string[] {
  const [a = 0, b = 0] = [before, after].map(({ sides }) => Math.max(...sides.map((side) => side.duration_s)));
  if (Math.abs(a - b) <= ALIKE * Math.min(a, b)) return [];
  return [`one lasted ${formatSpan(a)} and the other ${formatSpan(b)}: counts cannot be compared`];
}

function unmatched(before: Report, after: Report, pairs: readonly (readonly [Side, Side])[]): readonly string[] {
  const ours = pairs.map(([side]) => side);
  const theirs = pairs.map(([, side]) => side);
  const missing = (kind: string, first: readonly Named[], second: readonly Named[]): readonly string[] => [
    ...only(kind, "first", first, second),
    ...only(kind, "second", second, first),
  ];
  return [
    ...only("sides", "first", before.sides, ours),
    ...only("sides", "second", after.sides, theirs),
    ...pairs.flatMap(([a, b]) => [
      ...missing("phases", a.phases, b.phases),
      ...missing("consumers", a.consumers, b.consumers),
    ]),
  ];
}

interface Named {
  readonly name: string;
}

/** `consumers in the first only: user-1, user-2, user-3 and 37 more`; nothing where there are none. */
function only(kind: string, where: string, here: readonly Named[], there: readonly Named[]): readonly string[] {
  const names = here.map(({ name }) => name).filter((name) => !there.some((other) => other.name === name));
  if (names.length === 0) return [];
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
  return [`${kind} in the ${where} only: ${names.slice(0, MOST_NAMED).join(", ")}${more}`];
}
