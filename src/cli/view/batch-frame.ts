import type { BatchProgress } from "../../batch/run/types.ts";
import type { EpochMs, Ms } from "../../core/units.ts";
import { formatCount, formatDuration, formatShort } from "../format.ts";
import type { Palette } from "../terminal.ts";
import { BAR, bar, clip, widthOf } from "./frame.ts";

/** What a frame shows beside the progress. */
export interface BatchFrameFacts {
  readonly progress: BatchProgress;
  readonly columns: number;
  /** Until when nothing goes out. */
  readonly pausedUntil: EpochMs | undefined;
  /** What went wrong last: `503: server overloaded`. */
  readonly lastProblem: string | undefined;
  /** Told to stop: only what is in flight goes on. */
  readonly isDraining: boolean;
}

/** Widths of bars, for what there is room for: few, so that a bar keeps its width while the words beside it change. */
const BARS = [BAR, 10, 5];

/** The lines that are drawn over in place. */
export function batchFrame(facts: BatchFrameFacts, palette: Palette): readonly string[] {
  const { progress, columns, isDraining, pausedUntil, lastProblem } = facts;
  const { total, answered, failed, retrying, inFlight } = progress;
  const done = answered + failed;
  const place = `${palette.bold(formatCount(done))}${ofTotal(done, total)}  ${palette.dim(timeLeft(facts))}`;
  const width = BARS.find((width) => width + widthOf(place) + 4 <= columns);
  const shown = width === undefined || total === undefined ? "" : `${bar(done, total, palette, width)}  `;
  const counts = [
    `${formatCount(answered)} ok`,
    paintIf(failed, palette.bad, `${formatCount(failed)} failed`),
    paintIf(retrying, palette.warn, `${retrying} retrying`),
    `${inFlight} in flight`,
  ];
  const speed = [speedOf(progress), tokensOf(progress), costOf(progress), latencyOf(progress)];
  const lines = [`${shown}${place}`, present(counts).join("  "), present(speed).join("  ")];
  if (isDraining && inFlight > 0)
    lines.push(palette.warn(`stopping: waiting for ${inFlight} in flight; Ctrl-C again gives them up`));
  else if (pausedUntil !== undefined) lines.push(palette.warn(pausedText(progress, pausedUntil)));
  else if (lastProblem !== undefined) lines.push(palette.dim(`last problem: ${lastProblem}`));
  return lines.map((line) => clip(`  ${line}`, columns));
}

/** The same in one plain line, for a log. */
export function batchLine({ progress, pausedUntil, isDraining }: BatchFrameFacts): string {
  const { total, answered, failed, retrying, inFlight } = progress;
  const done = answered + failed;
  const parts = [
    `${formatCount(done)}${ofTotal(done, total)}`,
    `${answered} ok, ${failed} failed, ${retrying} retrying, ${inFlight} in flight`,
    speedOf(progress),
    tokensOf(progress),
    costOf(progress),
    `elapsed ${formatDuration(progress.elapsedMs)}`,
    left(progress) === undefined ? "" : `left ${formatDuration(left(progress) ?? 0)}`,
    isDraining ? "stopping" : pausedUntil === undefined ? "" : pausedText(progress, pausedUntil),
  ];
  return present(parts).join("  ");
}

/** The same as JSON, for programs. */
export function batchJson({ progress, pausedUntil, isDraining }: BatchFrameFacts): string {
  const { total, answered, failed, retrying, inFlight, sent, tokens, cost, elapsedMs, finishedPerSecond } = progress;
  return JSON.stringify({
    total: total ?? null,
    answered,
    failed,
    retrying,
    in_flight: inFlight,
    requests: sent,
    tokens,
    cost: cost ?? null,
    elapsed_ms: Math.round(elapsedMs),
    left_ms: Math.round(left(progress) ?? Number.NaN),
    rows_per_second: Math.round(finishedPerSecond * 100) / 100,
    paused_until: pausedUntil === undefined ? null : new Date(pausedUntil).toISOString(),
    stopping: isDraining,
  });
}

/** How long the rest will take, at the speed of late. `undefined` where nobody can say. */
function left({ total, answered, failed, finishedPerSecond }: BatchProgress): Ms | undefined {
  const rows = (total ?? 0) - answered - failed;
  return rows <= 0 || finishedPerSecond <= 0 ? undefined : (rows * 1_000) / finishedPerSecond;
}

function timeLeft({ progress, isDraining }: BatchFrameFacts): string {
  const rest = isDraining ? undefined : left(progress);
  const elapsed = formatDuration(progress.elapsedMs);
  return rest === undefined ? elapsed : `${elapsed}, ${formatDuration(rest)} left`;
}

function ofTotal(done: number, total: number | undefined): string {
  if (total === undefined) return " rows";
  const percent = total === 0 ? 100 : Math.floor((done * 100) / total);
  return ` of ${formatCount(total)}  ${percent}%`;
}

/** Of answers: requests go out in bursts, and a rate of those seems to be above the limit now and then. */
function speedOf({ finishedPerSecond: perSecond, limiter }: BatchProgress): string {
  const limits = limiter.fullest.map(({ limit }) => limit.name);
  return `${perSecond.toFixed(perSecond < 10 ? 2 : 1)}/s${limits.length === 0 ? "" : ` of ${limits.join(", ")}`}`;
}

function tokensOf({ tokens }: BatchProgress): string {
  return tokens.input + tokens.output === 0
    ? ""
    : `${formatShort(tokens.input)} tokens in, ${formatShort(tokens.output)} out`;
}

function costOf({ cost }: BatchProgress): string {
  return cost === undefined ? "" : formatCost(cost);
}

/** `$1.23`, `$0.0042`. */
export function formatCost(cost: number): string {
  return `$${cost >= 0.1 || cost === 0 ? cost.toFixed(2) : cost.toPrecision(2)}`;
}

function latencyOf({ latency }: BatchProgress): string {
  const { p50, p95 } = latency;
  return p50 === undefined || p95 === undefined ? "" : `p50 ${formatDuration(p50)}, p95 ${formatDuration(p95)}`;
}

function pausedText({ limiter }: BatchProgress, until: EpochMs): string {
  const { paused } = limiter;
  const time = new Date(until).toTimeString().slice(0, 8);
  const asked = paused?.retryAfterMs === undefined ? "" : `, retry-after ${formatDuration(paused.retryAfterMs)}`;
  switch (paused?.reason) {
    case "rate_limited":
      return `paused until ${time} (429${asked})`;
    case "overloaded":
      return `paused until ${time} (overloaded${asked})`;
    case "announced":
      return `paused until ${time} (the server says that its limit is used up)`;
    case undefined:
      return `paused until ${time}`;
  }
}

function paintIf(count: number, paint: (text: string) => string, text: string): string {
  return count === 0 ? "" : paint(text);
}

function present(parts: readonly string[]): readonly string[] {
  return parts.filter((part) => part !== "");
}
