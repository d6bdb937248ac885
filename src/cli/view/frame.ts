import type { Ms } from "../../core/units.ts";
import type { ProxyStats } from "../../gateway/index.ts";
import { formatCount, formatDuration } from "../format.ts";
import type { Palette } from "../terminal.ts";

/** What a frame shows beside the statistics of the moment. */
export interface FrameFacts {
  readonly stats: ProxyStats;
  /** Requests completed per second, lately. */
  readonly perSecond: number;
  readonly columns: number;
}

/** Columns of a bar that has room. */
export const BAR = 30;
// oxlint-disable-next-line no-control-regex -- the escape character starts a colour
const COLOR = /(\u001B\[\d+m)/;
const MOST_MEMBERS = 5;

/** The lines of the live view: seats, waiting, throughput, and who has them. */
export function frame({ stats, perSecond, columns }: FrameFacts, palette: Palette): readonly string[] {
  const { seats, in_flight: inFlight, waiting, outcomes } = stats;
  const deployments = Object.values(stats.deployments);
  const room = deployments.reduce((sum, deployment) => sum + deployment.queue_length, 0);
  const waits = deployments[0]?.wait_ms ?? { p50: 0, p95: 0, p99: 0 };
  const refused = Object.values(stats.refused).reduce((sum, count) => sum + count, 0);
  const lines = [
    `seats       ${bar(inFlight, seats, palette)}  ${palette.bold(String(inFlight))} of ${seats}`,
    `waiting     ${bar(waiting, room, palette)}  ${palette.bold(String(waiting))} of ${room}`,
    `throughput  ${palette.bold(perSecond.toFixed(1))} answers/s, ${formatCount(outcomes["completed"] ?? 0)} in all, ${formatCount(refused)} refused`,
    `wait        p50 ${formatDuration(waits.p50)}  p95 ${formatDuration(waits.p95)}  p99 ${formatDuration(waits.p99)}`,
    ...memberLines(stats, palette),
  ];
  return lines.map((line) => clip(`  ${line}`, columns));
}

/** The same in one plain line, for a log. */
export function plainLine({ stats, perSecond }: FrameFacts): string {
  const { seats, in_flight: inFlight, waiting, outcomes } = stats;
  return `seats ${inFlight}/${seats}  waiting ${waiting}  ${perSecond.toFixed(1)} answers/s  ${outcomes["completed"] ?? 0} completed`;
}

/** How much of `whole` is taken, as a bar. */
export function bar(part: number, whole: number, palette: Palette, width: number = BAR): string {
  const share = whole === 0 ? 0 : Math.min(1, part / whole);
  const filled = part > 0 ? Math.max(1, Math.round(share * width)) : 0;
  const paint = share >= 1 ? palette.warn : palette.good;
  return `${paint("█".repeat(filled))}${palette.dim("░".repeat(width - filled))}`;
}

/** Answers per second between two looks. */
export function rate(before: number, now: number, elapsed: Ms): number {
  return elapsed <= 0 ? 0 : ((now - before) * 1_000) / elapsed;
}

function memberLines(stats: ProxyStats, palette: Palette): readonly string[] {
  const members = Object.values(stats.deployments)
    .flatMap((deployment) => deployment.members)
    .filter((member) => member.in_flight + member.waiting > 0)
    .sort((a, b) => b.in_flight + b.waiting - a.in_flight - a.waiting);
  const rows = members
    .slice(0, MOST_MEMBERS)
    .map((member) => `${palette.dim(member.name.padEnd(24))} ${member.in_flight} in seats, ${member.waiting} waiting`);
  const more = members.length - rows.length;
  return more > 0 ? [...rows, palette.dim(`and ${more} more`)] : rows;
}

/** Columns that a line takes; escape sequences take none. */
export function widthOf(line: string): number {
  return line.split(COLOR).reduce((sum, part) => sum + (part.startsWith("\u001B") ? 0 : part.length), 0);
}

/** Cuts a line to the terminal's width, and shows that with `…`. */
export function clip(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  let left = Math.max(0, columns - 1);
  let result = "";
  for (const part of line.split(COLOR)) {
    if (part.startsWith("\u001B")) result += part;
    else if (left > 0) {
      result += part.slice(0, left);
      left -= part.length;
      if (left <= 0) result += "…";
    }
  }
  return result;
}
