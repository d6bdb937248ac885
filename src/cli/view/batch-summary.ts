import type { DryRun, Interval, Projection } from "../../batch/progress/projection.ts";
import type { BatchSummary } from "../../batch/progress/summary.ts";
import type { StopCause } from "../../batch/run/types.ts";
import { formatCount, formatDuration, formatShort } from "../format.ts";
import type { Palette } from "../terminal.ts";
import { formatCost } from "./batch-frame.ts";
import { widthOf } from "./frame.ts";

const CAUSES: Readonly<Record<string, string>> = {
  refused: "refused by the server (4xx)",
  server_error: "server errors (5xx)",
  timeout: "timed out",
  network: "connection broke",
  invalid_answer: "no valid answer",
  over_limit: "larger than a limit",
  rate_limited: "refused for the rate (429)",
  overloaded: "refused for the load (503, 529)",
};

const STOPS: Readonly<Record<StopCause, string>> = {
  unauthorized: "the key was refused",
  quota: "the quota is used up",
  paused_too_long: "the server asks for a longer pause than --max-pause allows",
  too_many_failures: "row after row failed, --max-failures of them",
  max_cost: "--max-cost is reached",
  unreachable: "the server cannot be reached",
};

const LABEL = 10;

/** The table at the end of a run. */
export function summaryLines(summary: BatchSummary, palette: Palette): readonly string[] {
  const { rows, files, tokens, latency_ms: latency, requests } = summary;
  const limits = requests === 0 ? [] : summary.limits;
  const lines = [
    row(headline(summary), rowsText(summary, palette), palette),
    ...Object.entries(summary.failures).map(([cause, count]) =>
      row("", `${formatCount(count)} ${CAUSES[cause]}`, palette),
    ),
    row("requests", requestsText(summary), palette),
    ...limits.map((limit) =>
      row(
        "limit",
        `${limit.limit}: ${percent(limit.used)} used, never more than ${formatCount(limit.most_in_any_window)} ${limit.unit} in any ${windowText(limit.window_ms)}`,
        palette,
      ),
    ),
    foundText(summary) === "" ? "" : row("auto", foundText(summary), palette),
    row("time", timeText(summary), palette),
    latency.p50 === null || latency.p95 === null
      ? ""
      : row(
          "answers",
          `half within ${formatDuration(latency.p50)}, 95% within ${formatDuration(latency.p95)}${cutText(summary)}`,
          palette,
        ),
    rows.answered === 0
      ? ""
      : row(
          "tokens",
          `${formatCount(tokens.input)} in, ${formatCount(tokens.output)} out${usageText(summary)}`,
          palette,
        ),
    costText(summary) === "" ? "" : row("cost", costText(summary), palette),
    files.output === "-" ? "" : row("output", files.output, palette),
    files.errors === null ? "" : row("failures", `${files.errors}, which is valid input`, palette),
    files.bad_lines === null ? "" : row("bad lines", `${formatCount(rows.bad_lines)}, in ${files.bad_lines}`, palette),
  ].filter((line) => line !== "");
  return [...lines, ...nextSteps(summary, palette)];
}

/** What `--dry-run` says. */
export function dryRunLines(plan: DryRun, palette: Palette): readonly string[] {
  const before = plan.answered_before + plan.failed_before;
  const minimum =
    plan.minimum_ms === null
      ? palette.bad(plan.problem ?? "never")
      : `${formatDuration(plan.minimum_ms)} from the first request to the last, at least`;
  return [
    row(
      "rows",
      `${formatCount(plan.rows)}${before === 0 ? "" : `, ${formatCount(before)} of them finished before`}`,
      palette,
    ),
    plan.bad_lines === 0 ? "" : row("bad lines", formatCount(plan.bad_lines), palette),
    row("to send", formatCount(plan.left), palette),
    row("tokens", `about ${formatShort(plan.tokens.input)} in, ${formatShort(plan.tokens.output)} out`, palette),
    plan.cost === null ? "" : row("cost", `about ${formatCost(plan.cost)}`, palette),
    row("time", minimum, palette),
    row("", "nothing was sent", palette),
  ].filter((line) => line !== "");
}

/** What a sample tells of all rows that were not finished before it. */
export function projectionLines(projection: Projection, palette: Palette): readonly string[] {
  if (projection.sampled === 0) return [row("all left", "no answer came that could tell anything", palette)];
  const { sampled, rows, input_tokens: input, output_tokens: output, cost, duration_ms: duration } = projection;
  const range = (interval: Interval, format: (value: number) => string): string =>
    `${format(interval.value)} (${format(interval.low)} to ${format(interval.high)})`;
  return [
    row("all left", `${formatCount(rows)} rows, told from ${formatCount(sampled)} at random; 95% confidence`, palette),
    row("tokens", `${range(input, formatShort)} in, ${range(output, formatShort)} out`, palette),
    cost === null ? "" : row("cost", range(cost, formatCost), palette),
    row("time", range(duration, formatDuration), palette),
  ].filter((line) => line !== "");
}

/** Breaks lines at words, behind their labels, so that a terminal does not break them within. */
export function wrapLines(lines: readonly string[], columns: number | undefined): readonly string[] {
  return columns === undefined ? lines : lines.flatMap((line) => wrap(line, columns));
}

function wrap(line: string, columns: number): readonly string[] {
  const indent = LABEL + 3;
  if (widthOf(line) <= columns || columns < 2 * indent) return [line];
  const wrapped: string[] = [];
  let current = "";
  // What stands between words is kept, as far as it does not stand at a break.
  for (const word of line.split(/(?<=\S)(?= )/)) {
    if (current !== "" && widthOf(current + word) > columns) {
      wrapped.push(current);
      current = `${" ".repeat(indent)}${word.trimStart()}`;
    } else current += word;
  }
  return [...wrapped, current];
}

function row(label: string, text: string, palette: Palette): string {
  return `  ${palette.dim(label.padEnd(LABEL))} ${text}`;
}

function headline({ ended }: BatchSummary): string {
  return ended === "completed" ? "done" : "stopped";
}

function rowsText({ rows }: BatchSummary, palette: Palette): string {
  const { answered, failed, answered_before: before, failed_before: failedBefore, left } = rows;
  return [
    palette.good(`${formatCount(answered)} answered`),
    failed === 0 ? "" : palette.bad(`${formatCount(failed)} failed`),
    before === 0 ? "" : `${formatCount(before)} answered before`,
    failedBefore === 0 ? "" : `${formatCount(failedBefore)} failed before`,
    left === null || left === 0 ? "" : palette.warn(`${formatCount(left)} left`),
  ]
    .filter((part) => part !== "")
    .join(", ");
}

function requestsText({ requests, retries }: BatchSummary): string {
  if (requests === 0) return "none";
  const again = Object.entries(retries).map(([cause, count]) => `${formatCount(count)} ${CAUSES[cause]}`);
  return `${formatCount(requests)}${again.length === 0 ? ", each row once" : `; sent again: ${again.join(", ")}`}`;
}

function foundText({ found_per_second: found, requests }: BatchSummary): string {
  return found === null || requests === 0 ? "" : `up to ${formatRate(found)} requests a second at the end`;
}

function costText({ cost, cost_before: before }: BatchSummary): string {
  if (cost === null) return "";
  return before === null || before === 0 ? formatCost(cost) : `${formatCost(cost)}, and ${formatCost(before)} before`;
}

function timeText({ wall_ms: wall, rows_per_second: perSecond }: BatchSummary): string {
  return `${formatDuration(wall)}${perSecond === 0 ? "" : `, ${formatRate(perSecond)} rows/s`}`;
}

function formatRate(perSecond: number): string {
  return perSecond >= 100 ? formatCount(perSecond) : perSecond.toFixed(2);
}

function cutText({ cut_answers: cut }: BatchSummary): string {
  return cut === 0 ? "" : `; ${formatCount(cut)} ended at their bound or in a filter`;
}

function usageText({ tokens }: BatchSummary): string {
  const { answers_without_usage: silent } = tokens;
  return silent === 0 ? "" : ` (estimated for ${formatCount(silent)} answers that do not say)`;
}

function windowText(ms: number): string {
  return ms === 1_000 ? "second" : ms === 60_000 ? "minute" : ms === 3_600_000 ? "hour" : formatDuration(ms);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share >= 0.995 ? 0 : 1)}%`;
}

function nextSteps({ stopped, ended, rows }: BatchSummary, palette: Palette): readonly string[] {
  if (stopped !== null)
    return ["", `  ${palette.bad(STOPS[stopped.why])}: ${stopped.message}`, "  the same command goes on from here"];
  if (ended !== "completed") return ["", "  the same command goes on from here"];
  if (rows.failed + rows.failed_before > 0) return ["", "  --retry-failed sends the failed rows again"];
  return [];
}
