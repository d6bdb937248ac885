import { comparisonWithArticle } from "../article/comparison.ts";
import { formatCount, formatMs, formatRatio, formatSpan, UNKNOWN } from "../numbers.ts";
import { checkTable } from "../tables/checks.ts";
import type { FigureKey } from "../tables/figures.ts";
import { glance } from "../tables/glance.ts";
import { failureTable, latencyTable, phaseTable, refusalTable, timesTable } from "../tables/side.ts";
import { cell, left, right, type Table } from "../tables/table.ts";
import type { Report, Side } from "../types.ts";
import { alarmOf, verdictOf, verdictText, wedgeText, type ReportVerdict } from "../verdict.ts";
import { clean, tableLines, TEXT_WIDTH, wrap, type TextPalette } from "./grid.ts";
import { consumerTextTable } from "./consumers.ts";

export interface TextOptions {
  /** All checks, all consumers and all percentiles. */
  readonly verbose: boolean;
  /** Paths of what was written, for the last lines. */
  readonly files: readonly string[];
}

const PHASE_KEYS: readonly FigureKey[] = [
  "sent",
  "served",
  "success",
  "refused",
  "broken",
  "left",
  "perMinute",
  "floor",
  "utilization",
];

const TIME_KEYS: readonly FigureKey[] = [
  "ttftP50",
  "ttftP99",
  "itlP50",
  "e2eP50",
  "e2eP99",
  "queueP99",
  "promptSpeed",
  "generationSpeed",
];

/** A report for the terminal, at most 100 columns, without a line end at its end. */
export function formatReport(report: Report, palette: TextPalette, { verbose, files }: TextOptions): string {
  const several = report.sides.length > 1;
  const blocks = [
    headLines(report, palette),
    ...report.sides.flatMap((side) => [
      ...(several
        ? [
            [
              palette.bold(
                `── ${clean(side.name)} ${"─".repeat(Math.max(0, TEXT_WIDTH - 4 - side.name.length))}`.slice(
                  0,
                  TEXT_WIDTH,
                ),
              ),
            ],
          ]
        : []),
      ...sideBlocks(side, palette, verbose),
    ]),
    ...(several ? [tableLines(sidesTable(report), palette)] : []),
    ...comparisonWithArticle(report).map((table) => tableLines(table, palette)),
    footLines(report, palette, files),
  ];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n");
}

function headLines(report: Report, palette: TextPalette): readonly string[] {
  const { scenario } = report;
  const verdict = verdictOf(report);
  const span = formatSpan(report.sides[0]?.duration_s ?? 0);
  const facts = [
    scenario.target,
    `${span}${scenario.mode === "virtual" ? " of virtual time" : ""}`,
    `speed ${scenario.speed}`,
    `seed ${scenario.seed}`,
  ];
  const alarms = report.sides.flatMap((side) => {
    const alarm = alarmOf(side);
    return alarm === null ? [] : [report.sides.length > 1 ? `${side.name}: ${alarm}` : alarm];
  });
  return [
    `${palette.bold(clean(scenario.name))}  ${paintVerdict(palette, verdict)(wrap(verdictText(verdict), 76).join("\n  "))}`,
    ...wrap(facts.join(", "), TEXT_WIDTH).map(palette.dim),
    ...alarms.flatMap((alarm) => wrap(alarm, TEXT_WIDTH)).map(palette.bad),
  ];
}

function sideBlocks(side: Side, palette: TextPalette, verbose: boolean): readonly (readonly string[])[] {
  const phases = side.phases.length > 1 ? [phaseTable(side, PHASE_KEYS), timesTable(side, TIME_KEYS)] : [];
  const reasons = [
    ...(Object.keys(side.total.refused_by).length > 1 ? [refusalTable(side)] : []),
    ...(side.total.failed + side.total.incomplete > 0 ? [failureTable(side)] : []),
  ];
  return [
    tableLines(consumerTextTable(side, verbose), palette),
    ...[...phases, ...reasons, ...(verbose ? [latencyTable(side)] : [])].map((table) => tableLines(table, palette)),
    modelLines(side, palette),
    checkLines(side, palette, verbose),
  ];
}

function modelLines(side: Side, palette: TextPalette): readonly string[] {
  const { model, seats } = side;
  if (model === null) return [palette.dim("model   not seen")];
  const over = seats !== null && (model.max_concurrent ?? 0) > seats;
  const count = `at most ${formatCount(model.max_concurrent)} ${model.max_concurrent === 1 ? "request" : "requests"} at once${seats === null ? "" : `, of ${formatCount(seats)} seats`}`;
  const most = model.max_concurrent === null ? [] : [over ? palette.bad(count) : count];
  const times = `first token ${formatMs(model.ttft_ms)}, between tokens ${formatMs(model.itl_ms)}, GPU ${formatRatio(model.gpu)}, KV cache ${formatRatio(model.kv)}`;
  return [
    `${palette.bold("model")}   ${[...most, ...gpuWords(side, palette), times].slice(0, -1).join(", ") || times}`,
    ...(most.length > 0 ? [`        ${times}`] : []),
  ];
}

/** Nothing where it cannot tell. */
function gpuWords(side: Side, palette: TextPalette): readonly string[] {
  const wedge = wedgeText(side);
  if (wedge !== null) return [palette.bad(clean(wedge))];
  return side.model?.wedged === false ? [palette.good("GPU well")] : [];
}

function checkLines({ checks }: Side, palette: TextPalette, verbose: boolean): readonly string[] {
  if (checks.length === 0) return [];
  const failed = checks.filter(({ ok }) => !ok);
  const hold = `${checks.length - failed.length} of ${checks.length} hold`;
  const shown = checkTable("", verbose ? checks : failed);
  return [
    `${palette.bold("checks")}  ${failed.length === 0 ? palette.good(hold) : palette.bad(hold)}`,
    ...tableLines(shown, palette, TEXT_WIDTH - 2).map((line) => `  ${line}`),
  ];
}

/** The same figure of each side in one row. */
function sidesTable(report: Report): Table {
  const columns = report.sides.map((side) => glance(side));
  return {
    title: "Side by side",
    columns: [left(""), ...report.sides.map(({ name }) => right(name))],
    rows: (columns[0] ?? [])
      .map(({ label }, row) => [
        cell(label),
        ...columns.map((tiles) => cell(tiles[row]?.value ?? "", tiles[row]?.tone ?? "plain")),
      ])
      .filter(([, ...values]) => values.some(({ text }) => text !== UNKNOWN)),
  };
}

function footLines({ generator }: Report, palette: TextPalette, files: readonly string[]): readonly string[] {
  const { send_lag_ms: sent, loop_lag_ms: loop } = generator;
  const lag =
    sent.count === 0
      ? []
      : [
          palette.dim(
            `generator: sent late by ${formatMs(sent.p50)} (p50), ${formatMs(sent.p99)} (p99), ${formatMs(sent.max)} (max); event loop p99 ${formatMs(loop.p99)}`,
          ),
        ];
  return [...lag, ...files.map((file) => `${palette.dim("written")} ${clean(file)}`)];
}

function paintVerdict(palette: TextPalette, verdict: ReportVerdict): (text: string) => string {
  switch (verdict.kind) {
    case "passed":
      return palette.good;
    case "failed":
    case "invalid":
      return palette.bad;
    case "unchecked":
      return palette.dim;
  }
}
