import type { Outcome } from "../../core/outcome.ts";
import type { Ms } from "../../core/units.ts";
import type { RunObserver } from "../load/run.ts";
import type { Visit } from "../load/types.ts";
import type { Scenario } from "../scenario/types.ts";
import { Cell, timesOf } from "./cell.ts";
import { LatencySteps } from "./latency-steps.ts";
import { Seconds } from "./windows.ts";

/** One consumer's requests over time, by the second in which they were sent. */
export interface Series {
  readonly sent: Seconds;
  readonly served: Seconds;
  readonly refused: Seconds;
  /** Let in, whatever became of them then. */
  readonly admitted: Seconds;
  /** Sent, and with a claim on a share of the capacity: neither refused by a limit of the consumer's own, nor hung up before it was answered. */
  readonly claimed: Seconds;
}

/** When a phase was, in scenario time. */
export interface Span {
  readonly fromMs: Ms;
  /** `Infinity` while it goes on. */
  toMs: Ms;
}

/** Sees all requests of one side and keeps what the report needs, in memory that does not grow with their number. */
export class Recorder implements RunObserver {
  readonly series: readonly Series[];
  /** By the second in which they came. */
  readonly tokensIn: Seconds = new Seconds();
  readonly tokensOut: Seconds = new Seconds();
  readonly latency: LatencySteps = new LatencySteps();
  readonly spans: Span[] = [];
  readonly #scenario: Scenario;
  /** By phase, then by consumer. */
  readonly #cells: readonly (readonly Cell[])[];
  readonly #indexes: ReadonlyMap<string, number>;

  constructor(scenario: Scenario) {
    const { consumers, phases } = scenario;
    this.#scenario = scenario;
    this.#indexes = new Map(consumers.map(({ name }, index) => [name, index]));
    this.#cells = phases.map(() => consumers.map(() => new Cell()));
    this.series = consumers.map(() => ({
      sent: new Seconds(),
      served: new Seconds(),
      refused: new Seconds(),
      admitted: new Seconds(),
      claimed: new Seconds(),
    }));
  }

  cell(phase: number, consumer: number): Cell {
    const cell = this.#cells[phase]?.[consumer];
    if (cell === undefined) throw new RangeError(`no phase ${phase} with a consumer ${consumer}`);
    return cell;
  }

  /** Consumers by their index, phases by theirs. */
  cells(which: { readonly phase?: number; readonly consumer?: number }): readonly Cell[] {
    const rows = which.phase === undefined ? this.#cells : [this.#cells[which.phase] ?? []];
    return rows.flatMap((row) => row.filter((_, index) => which.consumer === undefined || which.consumer === index));
  }

  phaseBegan(_phase: number, at: Ms): void {
    this.spans.push({ fromMs: at, toMs: Infinity });
  }

  phaseEnded(phase: number, at: Ms): void {
    const span = this.spans[phase];
    if (span !== undefined) span.toMs = at;
  }

  sent(visit: Visit): void {
    const consumer = this.#indexOf(visit);
    this.cell(visit.phase, consumer).begun(visit);
    const series = this.series[consumer];
    series?.sent.add(secondOf(visit.sentAt));
    series?.claimed.add(secondOf(visit.sentAt));
  }

  gap(visit: Visit, gap: Ms): void {
    this.cell(visit.phase, this.#indexOf(visit)).itl.record(gap);
  }

  ended(visit: Visit): void {
    const consumer = this.#indexOf(visit);
    this.cell(visit.phase, consumer).ended(visit, this.#scenario.slo);
    const series = this.series[consumer];
    const second = secondOf(visit.sentAt);
    if (isAdmitted(visit)) series?.admitted.add(second);
    else if (isUnclaimed(visit)) series?.claimed.add(second, -1);
    if (visit.ending === "refused") series?.refused.add(second);
    if (visit.ending !== "served") return;
    series?.served.add(second);
    const { ttft, e2e } = timesOf(visit);
    this.latency.record(visit.sentAt, ttft, e2e);
    this.tokensIn.add(secondOf(visit.headAt), visit.inputTokens);
    this.tokensOut.add(secondOf(visit.endAt), visit.outputTokens);
  }

  #indexOf({ consumer }: Visit): number {
    return this.#indexes.get(consumer) ?? -1;
  }
}

/** It was answered with something else than a refusal. What the model made of it is not the gate's doing. */
function isAdmitted({ status, ending }: Visit): boolean {
  return status !== 0 && ending !== "refused";
}

const OWN_LIMITS: ReadonlySet<string> = new Set<Outcome>([
  "rate_limited",
  "token_limited",
  "concurrency_limited",
  "input_too_long",
]);

function isUnclaimed({ ending, outcome }: Visit): boolean {
  return ending === "aborted" || ending === "gave_up" || OWN_LIMITS.has(outcome);
}

function secondOf(at: Ms): number {
  return Math.max(0, Math.floor(at / 1_000));
}
