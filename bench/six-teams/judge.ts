import { percentiles } from "../load/percentiles.ts";
import { type Extent, isAdmitted, isSettled, type Measured, rangeOf, tokenTimes } from "./measured.ts";
import type { Visit } from "./plan.ts";
import type { Contender, Scenario } from "./scenario.ts";

/** One sentence of the promise, and whether it held. */
export interface Finding {
  readonly what: string;
  /** What must hold, in words. */
  readonly aim: string;
  readonly seen: number;
  /** Digits behind the point. */
  readonly digits: number;
  readonly ok: boolean;
}

/** Requests that are sent for each that the deployment can serve. */
export const OVERLOAD = 12;

/** Token times may grow by this much. */
const MOST_SLOWER = 1.15;
const LEAST_UTILISATION = 0.985;
/** Between what two consumers got of their reservations, in a minute. In less time one request weighs more. */
const MOST_UNEVEN = 0.02;
/** The generator's random arrivals differ from their rate by some. */
const LEAST_OFFERED = 0.98;

/** Requests. A part that all reservations leave is not quite a round number. */
const ROUNDING = 1e-6;

/** Holds what was measured against what the file promises. */
export function judge(scenario: Scenario, extent: Extent, measured: Measured): readonly Finding[] {
  return [
    ...judgeCounts(scenario, extent, measured.flood.visits),
    ...judgeTimes(extent, measured),
    ...judgeAnswers(scenario, measured),
  ];
}

function judgeCounts(scenario: Scenario, extent: Extent, visits: readonly Visit[]): readonly Finding[] {
  const { capacity, burst, contenders } = scenario;
  const { window, flood } = extent;
  const part = window / 60;
  const span = window === 60 ? "minute" : `${window} s`;
  const all = rangeOf(visits, extent);
  const floors = contenders.map((contender): Finding => {
    // The guarantee of every interval: reservation × capacity × time − 1 request.
    const floor = Math.floor(contender.floor * part + ROUNDING) - 1;
    const kind = contender.reservation === undefined ? "the pool" : `${Math.round(contender.reservation * 100)}%`;
    return atLeast(
      `${contender.name} (${kind}), worst ${span}`,
      floor,
      rangeOf(visitsOf(contender, visits), extent).least,
    );
  });
  return [
    atLeast("requests sent, × capacity", LEAST_OFFERED * OVERLOAD, (visits.length * 60) / (flood * capacity), 2),
    ...floors,
    atMost("served per reserved part, uneven by", MOST_UNEVEN / part, unevenness(scenario, extent, visits), 3),
    atMost(`all, fullest ${span}`, Math.ceil(capacity * part + burst - ROUNDING), all.most),
    atLeast(`utilisation, worst ${span}`, LEAST_UTILISATION, all.least / (capacity * part), 3),
  ];
}

/** How much more the best served reservation got than the worst served, once settled, each for its size. */
function unevenness({ contenders }: Scenario, extent: Extent, visits: readonly Visit[]): number {
  const parts = contenders.flatMap((contender) => {
    const served = visitsOf(contender, visits).filter((visit) => isSettled(visit, extent) && isAdmitted(visit)).length;
    return contender.reservation === undefined ? [] : [served / contender.reservation];
  });
  return Math.max(...parts) / Math.min(...parts) - 1;
}

function judgeTimes(extent: Extent, { alone, flood }: Measured): readonly Finding[] {
  const before = tokenTimes(alone.visits);
  const settled = tokenTimes(flood.visits.filter((visit) => isSettled(visit, extent)));
  const ratios: readonly (readonly [string, number])[] = [
    ["first token at the client, median", settled.firstToken.p50 / before.firstToken.p50],
    ["between tokens at the client, mean", settled.interToken.mean / before.interToken.mean],
    ["first token by the model, mean", flood.model.firstToken / alone.model.firstToken],
    ["between tokens by the model, mean", flood.model.interToken / alone.model.interToken],
  ];
  return ratios.map(([what, ratio]) => atMost(`${what}, ÷ alone`, MOST_SLOWER, ratio, 3));
}

function judgeAnswers({ seats }: Scenario, { flood: { visits }, stats, gate }: Measured): readonly Finding[] {
  const admitted = visits.filter(isAdmitted);
  const refused = visits.filter((visit) => !isAdmitted(visit));
  const wrong = refused.filter(({ status, retryAfter }) => status !== 429 || !(retryAfter >= 1)).length;
  const differ = Math.max(
    ...[stats.requests.completed, gate.admitted].map((count) => Math.abs(count - admitted.length)),
  );
  return [
    atMost("most at once at the model", seats, stats.max_concurrent_seen),
    none("refusals without 429 and retry-after", wrong),
    none("streams cut short", admitted.filter(({ whole }) => !whole).length),
    none("clients, gate and model count differently by", differ),
    none("left at the gate when all is over", gate.in_flight + gate.waiting + gate.open),
  ];
}

/** Whether the generator kept its plan: how far behind it one in a hundred requests was, in ms. */
export function lateness(visits: readonly Visit[]): number {
  return percentiles(visits.map(({ late }) => late)).p99;
}

/** One consumer's part of the flood. */
export function visitsOf({ name }: Contender, visits: readonly Visit[]): readonly Visit[] {
  return visits.filter(({ sender }) => sender === name);
}

function atLeast(what: string, aim: number, seen: number, digits = 0): Finding {
  return { what, aim: `at least ${aim.toFixed(digits)}`, seen, digits, ok: seen >= aim };
}

function atMost(what: string, aim: number, seen: number, digits = 0): Finding {
  return { what, aim: `at most ${aim.toFixed(digits)}`, seen, digits, ok: seen <= aim };
}

function none(what: string, seen: number): Finding {
  return { what, aim: "none", seen, digits: 0, ok: seen === 0 };
}
