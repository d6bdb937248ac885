import type { Ms } from "../../core/units.ts";
import type { LiveProgress } from "../../lab/live/run-live.ts";
import { type Allocation, allocationOf, shareOf } from "../../lab/measure/allocation.ts";
import { type Cell, mergedCells } from "../../lab/measure/cell.ts";
import type { Scenario } from "../../lab/scenario/types.ts";
import { formatCount, formatDuration } from "../format.ts";
import type { Palette } from "../terminal.ts";
import { bar, clip } from "./frame.ts";

/** What the live view of a load shows. */
export interface LoadFrameFacts {
  /** The side, as the report calls it. */
  readonly name: string;
  readonly scenario: Scenario;
  readonly gated: boolean;
  readonly progress: LiveProgress;
}

const MOST_ROWS = 10;
/** Floors are shown beside what was served lately. */
const LATELY_S = 60;

/** The lines of the live view: how far, what the model does, and per consumer what it sent and got in this phase. */
export function loadFrame(facts: LoadFrameFacts, columns: number, palette: Palette): readonly string[] {
  const { scenario, progress, gated, name } = facts;
  const elapsed = progress.elapsedMs();
  const phase = currentPhase(facts);
  const planned = plannedMs(scenario);
  const reading = progress.lastReading();
  const seats = gated ? scenario.gate?.config.deployments[0]?.maxConcurrent : undefined;
  const { recorder } = progress;
  const allocation = gated
    ? allocationOf(
        gateOf(scenario, phase),
        scenario.consumers.map((one) => one.name),
      )
    : undefined;
  const rows = scenario.consumers.map((consumer, index) => ({
    name: consumer.name,
    cell: recorder.cell(phase, index),
    lately: lately(facts, index, elapsed),
    floor: floorOf(allocation, index),
  }));
  const busy = rows.filter(({ cell }) => cell.sent > 0).sort((a, b) => b.cell.sent - a.cell.sent);
  const all = mergedCells(rows.map(({ cell }) => cell));
  const lines = [
    `${palette.bold(scenario.name)}, ${name}   ${palette.bold(scenario.phases[phase]?.name ?? "")} (${phase + 1} of ${scenario.phases.length})`,
    `time        ${planned === undefined ? formatDuration(elapsed) : `${bar(elapsed, planned, palette)}  ${formatDuration(elapsed)} of ${formatDuration(planned)}`}`,
    ...(reading === undefined
      ? []
      : [
          `model       ${reading.wedged ? palette.bad("wedged") : `${palette.bold(count(reading.running))} running, ${count(reading.waiting)} waiting${seats === undefined ? "" : ` (${seats} seats)`}, GPU ${percent(reading.gpu)}`}`,
        ]),
    "",
    palette.dim("in this phase".padEnd(20) + headings()),
    ...busy.slice(0, MOST_ROWS).map(({ name, cell, lately, floor }) => rowOf(name, cell, { lately, floor, palette })),
    ...(busy.length > MOST_ROWS ? [palette.dim(`and ${busy.length - MOST_ROWS} more`)] : []),
    rowOf("all", all, { lately: undefined, floor: undefined, palette }),
  ];
  return lines.map((line) => clip(`  ${line}`, columns));
}

/** The same in one plain line, for a log: of the whole run so far. */
export function loadLine(facts: LoadFrameFacts): string {
  const { name, scenario, progress } = facts;
  const phase = scenario.phases[currentPhase(facts)]?.name ?? "";
  const all = mergedCells(progress.recorder.cells({}));
  const { served, refused } = all.endings;
  return `${formatDuration(progress.elapsedMs())}  ${name}, ${phase}: ${all.sent} sent, ${served} served, ${refused} refused so far`;
}

interface RowFacts {
  /** Served per minute, of late. */
  readonly lately: number | undefined;
  readonly floor: number | undefined;
  readonly palette: Palette;
}

function headings(): string {
  return ["sent", "served", "refused", "other", "p50", "p99", "last min", "floor"]
    .map((name) => name.padStart(9))
    .join("");
}

function rowOf(name: string, cell: Cell, { lately, floor, palette }: RowFacts): string {
  const { served, refused } = cell.endings;
  const other = cell.endings.failed + cell.endings.incomplete + cell.endings.gave_up + cell.endings.aborted;
  const cells = [
    formatCount(cell.sent),
    formatCount(served),
    formatCount(refused),
    formatCount(other),
    time(cell.e2e.percentile(50)),
    time(cell.e2e.percentile(99)),
    lately === undefined ? "" : formatCount(lately),
    floor === undefined ? "" : formatCount(floor),
  ];
  const text = cells.map((cell) => cell.padStart(9)).join("");
  return `${name.slice(0, 19).padEnd(20)}${other > 0 ? palette.warn(text) : text}`;
}

function currentPhase({ progress }: LoadFrameFacts): number {
  return Math.max(0, progress.recorder.spans.length - 1);
}

/** The configuration in force in a phase. */
function gateOf(scenario: Scenario, phase: number): Scenario["gate"] {
  return scenario.phases.slice(0, phase + 1).findLast((one) => one.gate !== undefined)?.gate ?? scenario.gate;
}

/** `undefined` where a phase lasts until its requests are over. */
function plannedMs({ phases }: Scenario): Ms | undefined {
  let total = 0;
  for (const { durationMs } of phases) {
    if (durationMs === undefined) return undefined;
    total += durationMs;
  }
  return total;
}

function lately({ progress }: LoadFrameFacts, consumer: number, elapsed: Ms): number | undefined {
  const second = Math.floor(elapsed / 1_000);
  const row = progress.recorder.series[consumer];
  return row === undefined || second < LATELY_S ? undefined : row.admitted.sum(second - LATELY_S, second);
}

function floorOf(allocation: Allocation | undefined, consumer: number): number | undefined {
  const share = allocation && shareOf(allocation, consumer);
  return allocation === undefined || share === undefined || (!share.reserved && share.members.length > 1)
    ? undefined
    : share.fraction * allocation.capacity;
}

function time(value: Ms | undefined): string {
  return value === undefined ? "" : formatDuration(value);
}

function count(value: number): string {
  return Number.isNaN(value) ? "?" : formatCount(value);
}

function percent(part: number): string {
  return Number.isNaN(part) ? "?" : `${Math.round(100 * part)}%`;
}
