import type { ModelStats } from "../../src/lab/model/site.ts";
import { percentiles } from "../load/percentiles.ts";
import type { ModelFigures } from "./model-watch.ts";
import type { Visit } from "./plan.ts";

/** How long everything lasts, in seconds. */
export interface Extent {
  /** One client asks the model itself, one question after the other. */
  readonly alone: number;
  readonly flood: number;
  /** From the start of the flood until its first burst has been worked off. Token times are judged after it. */
  readonly settling: number;
  /** Counts are judged in every stretch of this length. */
  readonly window: number;
}

/** All that one run has seen. */
export interface Measured {
  readonly alone: { readonly visits: readonly Visit[]; readonly model: ModelFigures };
  readonly flood: { readonly visits: readonly Visit[]; readonly model: ModelFigures };
  /** After the flood. */
  readonly stats: ModelStats;
  /** What the gate says when all is over. */
  readonly gate: GateCounts;
}

/** Of `GET /api/v1/status`. */
export interface GateCounts {
  readonly admitted: number;
  readonly in_flight: number;
  readonly waiting: number;
  readonly open: number;
}

/** The least and the most that came in any window. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

const STEP_S = 1;

/** What was admitted in every window of the flood, one beginning each second. Admitted is when the client asked. */
export function rangeOf(visits: readonly Visit[], { flood, window }: Extent): Range {
  const times = visits.filter(isAdmitted).map(({ sentAt }) => sentAt);
  const counts: number[] = [];
  for (let from = 0; from + window <= flood; from += STEP_S) {
    counts.push(times.filter((at) => at >= from * 1_000 && at < (from + window) * 1_000).length);
  }
  return { least: Math.min(...counts), most: Math.max(...counts) };
}

export function isAdmitted({ status }: Visit): boolean {
  return status === 200;
}

export function isSettled({ sentAt }: Visit, { settling }: Extent): boolean {
  return sentAt >= settling * 1_000;
}

/** Token times as clients saw them, in ms. */
export interface TokenTimes {
  readonly firstToken: { readonly p50: number; readonly p99: number };
  readonly interToken: { readonly p50: number; readonly p99: number; readonly mean: number };
}

export function tokenTimes(visits: readonly Visit[]): TokenTimes {
  const admitted = visits.filter(isAdmitted);
  const gaps = admitted.flatMap(({ gaps }) => gaps);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  return {
    firstToken: percentiles(admitted.map(({ firstToken }) => firstToken)),
    interToken: { ...percentiles(gaps), mean },
  };
}
