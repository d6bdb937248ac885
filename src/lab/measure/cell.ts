import type { Ms, Tokens } from "../../core/units.ts";
import type { Slo } from "../scenario/types.ts";
import type { Visit, VisitEnding } from "../load/types.ts";
import { TimeHistogram } from "./histogram.ts";

/** What one consumer did in one phase. Cells add up to phases, consumers and the whole. */
export class Cell {
  intended = 0;
  sent = 0;
  readonly endings: Record<VisitEnding, number> = {
    served: 0,
    refused: 0,
    incomplete: 0,
    failed: 0,
    aborted: 0,
    gave_up: 0,
  };
  /** By the gate's word for it, or else by status. */
  readonly refusals: Map<string, number> = new Map<string, number>();
  /** By status, or by what broke. */
  readonly failures: Map<string, number> = new Map<string, number>();
  refused429 = 0;
  refused503 = 0;
  withoutRetryAfter = 0;
  good = 0;
  tokensIn: Tokens = 0;
  tokensOut: Tokens = 0;
  readonly ttft: TimeHistogram = new TimeHistogram();
  readonly itl: TimeHistogram = new TimeHistogram();
  readonly tpot: TimeHistogram = new TimeHistogram();
  readonly e2e: TimeHistogram = new TimeHistogram();
  readonly queue: TimeHistogram = new TimeHistogram();
  readonly promptSpeed: Mean = { sum: 0, count: 0 };
  readonly generationSpeed: Mean = { sum: 0, count: 0 };

  begun({ attempt }: Visit): void {
    this.sent += 1;
    if (attempt === 1) this.intended += 1;
  }

  ended(visit: Visit, slo: Slo): void {
    this.endings[visit.ending] += 1;
    if (visit.ending === "served") this.#served(visit, slo);
    else if (visit.ending === "refused") this.#refused(visit);
    else if (visit.ending === "failed")
      count(this.failures, visit.status === 0 ? visit.outcome : `HTTP ${visit.status}`);
  }

  add(other: Cell): void {
    this.intended += other.intended;
    this.sent += other.sent;
    for (const ending of ENDINGS) this.endings[ending] += other.endings[ending];
    for (const [reason, more] of other.refusals) count(this.refusals, reason, more);
    for (const [reason, more] of other.failures) count(this.failures, reason, more);
    this.refused429 += other.refused429;
    this.refused503 += other.refused503;
    this.withoutRetryAfter += other.withoutRetryAfter;
    this.good += other.good;
    this.tokensIn += other.tokensIn;
    this.tokensOut += other.tokensOut;
    for (const name of TIMES) this[name].add(other[name]);
    for (const name of ["promptSpeed", "generationSpeed"] as const) {
      this[name].sum += other[name].sum;
      this[name].count += other[name].count;
    }
  }

  #served(visit: Visit, slo: Slo): void {
    const times = timesOf(visit);
    this.tokensIn += visit.inputTokens;
    this.tokensOut += visit.outputTokens;
    this.ttft.record(times.ttft);
    this.tpot.record(times.tpot);
    this.e2e.record(times.e2e);
    this.queue.record(visit.queueMs);
    if (meets(slo, times)) this.good += 1;
    if (visit.streamed) note(this.promptSpeed, visit.inputTokens / (visit.firstTokenAt - visit.sentAt - visit.queueMs));
    note(this.generationSpeed, 1 / times.tpot);
  }

  #refused({ status, outcome, retryAfterMs }: Visit): void {
    count(this.refusals, outcome === "" ? String(status) : outcome);
    if (status === 429) this.refused429 += 1;
    else this.refused503 += 1;
    if (status === 429 && Number.isNaN(retryAfterMs)) this.withoutRetryAfter += 1;
  }
}

function count(counts: Map<string, number>, reason: string, more = 1): void {
  counts.set(reason, (counts.get(reason) ?? 0) + more);
}

const ENDINGS: readonly VisitEnding[] = ["served", "refused", "incomplete", "failed", "aborted", "gave_up"];
const TIMES = ["ttft", "itl", "tpot", "e2e", "queue"] as const;

/** All of them together. */
export function mergedCells(cells: readonly Cell[]): Cell {
  const all = new Cell();
  for (const cell of cells) all.add(cell);
  return all;
}

/** Times of one answer. NaN for what it does not have: a first token where it was not streamed, a second one where there is one. */
export interface AnswerTimes {
  readonly ttft: Ms;
  readonly tpot: Ms;
  readonly e2e: Ms;
}

export function timesOf({ streamed, dueAt, firstTokenAt, lastTokenAt, outputTokens }: Visit): AnswerTimes {
  return {
    ttft: streamed ? firstTokenAt - dueAt : Number.NaN,
    tpot: streamed && outputTokens > 1 ? (lastTokenAt - firstTokenAt) / (outputTokens - 1) : Number.NaN,
    e2e: lastTokenAt - dueAt,
  };
}

/** A bound on what an answer does not have holds. */
function meets({ ttftMs, tpotMs, e2eMs }: Slo, { ttft, tpot, e2e }: AnswerTimes): boolean {
  return !(ttft > (ttftMs ?? Infinity) || tpot > (tpotMs ?? Infinity) || e2e > (e2eMs ?? Infinity));
}

/** Per millisecond. */
interface Mean {
  sum: number;
  count: number;
}

function note(mean: Mean, value: number): void {
  if (!Number.isFinite(value)) return;
  mean.sum += value;
  mean.count += 1;
}
