import { formatReport } from "../../lab/report/text/report.ts";
import type { Report } from "../../lab/report/types.ts";
import { judgedSides, verdictOf, verdictText } from "../../lab/report/verdict.ts";
import { formatDuration } from "../format.ts";
import { hasColor, paletteFor } from "../terminal.ts";
import type { LoadWishes } from "./options.ts";

type Telling = Pick<LoadWishes, "json" | "verbose" | "reportDir">;

/** Prints what came of a run: all of it as JSON, or tables. */
export function tellReport(report: Report, { json, verbose, reportDir }: Telling): void {
  const { stdout, env } = process;
  if (json) {
    stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    return;
  }
  const files =
    reportDir === undefined
      ? []
      : [`${reportDir}/report.html`, `${reportDir}/report.json`, requestFiles(report, reportDir)];
  stdout.write(`${formatReport(report, paletteFor(hasColor(stdout, env)), { verbose, files })}\n`);
  if (reportDir !== undefined) return;
  stdout.write("\n--report DIR writes all of this as a page with charts, as JSON, and every request as a line.\n");
}

/** Prints one line for a run of several, and what of it did not hold. */
export function tellInOneLine(report: Report): void {
  const { stdout, env } = process;
  const { good, bad } = paletteFor(hasColor(stdout, env));
  const [first] = report.sides;
  const facts =
    first === undefined
      ? ""
      : `${first.total.sent} sent, ${first.total.served} served, ${first.total.refused} refused in ${formatDuration(first.duration_s * 1_000)}`;
  const paint = isFine(report) ? good : bad;
  stdout.write(`seed ${String(report.scenario.seed).padEnd(4)} ${paint(verdictText(verdictOf(report)))}  ${facts}\n`);
  for (const { phase, consumer, metric, aim, seen } of judgedSides(report).flatMap(({ checks }) =>
    checks.filter(({ ok }) => !ok),
  )) {
    const what = [phase ?? "whole run", consumer ?? "", metric].filter((word) => word !== "").join(" ");
    stdout.write(`          ${what} must be ${aim}, was ${seen ?? "not seen"}\n`);
  }
}

/** Prints what is to be said at the end of several runs. */
export function tellAll(reports: readonly Report[], { json }: Telling): void {
  const { stdout } = process;
  if (json) stdout.write(`${JSON.stringify(reports, undefined, 2)}\n`);
  else stdout.write(`${reports.filter(isFine).length} of ${reports.length} passed\n`);
}

/** Whether nothing of a run is wrong. */
export function isFine(report: Report): boolean {
  const { kind } = verdictOf(report);
  return kind === "passed" || kind === "unchecked";
}

function requestFiles({ sides }: Report, folder: string): string {
  return `${folder}/${sides.length === 1 ? "requests.jsonl" : "requests-*.jsonl"}`;
}
