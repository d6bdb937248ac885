import { formatCount, formatMs, formatRate, formatRatio, UNKNOWN } from "../numbers.ts";
import { cell, left, right, type Cell, type Table } from "../tables/table.ts";
import { clean, tableLines, TEXT_WIDTH, wrap, type TextPalette } from "../text/grid.ts";
import type { Difference, ReportDiff } from "./diff.ts";
import type { DiffUnit } from "./metrics.ts";

const MOST_ROWS = 40;

export interface DiffTextOptions {
  readonly verbose?: boolean;
}

/**
 * A comparison for the terminal, at most 100 columns: warnings, what got worse, what got better, what merely changed. Without
 * `verbose` single consumers in single phases are left out, and so is what comes after the 40th line of a kind.
 */
export function formatDiff(diff: ReportDiff, palette: TextPalette, { verbose = false }: DiffTextOptions = {}): string {
  const { noise, differences } = diff;
  const shown = verbose
    ? differences
    : differences.filter(({ phase, consumer }) => phase === null || consumer === null);
  const several = new Set(differences.map(({ side }) => side)).size > 1;
  const kinds = [
    { judgement: "worse", title: "Worse", paint: palette.bad },
    { judgement: "better", title: "Better", paint: palette.good },
    { judgement: "changed", title: "Changed", paint: palette.bold },
  ] as const;
  const blocks = kinds.flatMap(({ judgement, title, paint }) => {
    const rows = shown.filter((difference) => difference.judgement === judgement);
    if (rows.length === 0) return [];
    const cut = verbose ? rows : rows.slice(0, MOST_ROWS);
    const more = rows.length - cut.length;
    return [
      [
        paint(`${title} (${rows.length})`),
        ...tableLines(diffTable(cut, several), palette),
        ...(more > 0 ? [palette.dim(`and ${more} more`)] : []),
      ],
    ];
  });
  const hidden = differences.length - shown.length;
  const counts = kinds.map(
    ({ judgement }) => `${differences.filter((difference) => difference.judgement === judgement).length} ${judgement}`,
  );
  const summary = [
    differences.length === 0 ? palette.good("no difference beyond noise") : counts.join(", "),
    palette.dim(
      `${formatCount(diff.compared)} figures compared; noise: below ${formatRatio(noise.relative)}, ratios below ${formatRate(noise.points * 100)} points, times below ${formatMs(noise.ms)}`,
    ),
    ...(hidden > 0 ? [palette.dim(`${hidden} of single consumers in single phases not shown`)] : []),
  ];
  const warnings = diff.warnings.flatMap((warning) => wrap(`warning: ${warning}`, TEXT_WIDTH)).map(palette.warn);
  return [warnings, ...blocks, summary]
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n");
}

function diffTable(rows: readonly Difference[], several: boolean): Table {
  return {
    title: "",
    columns: [
      ...(several ? [left("side")] : []),
      left("phase"),
      left("consumer"),
      left("metric"),
      right("first"),
      right("second"),
      right("change"),
      left(""),
    ],
    rows: rows.map((row) => [
      ...(several ? [cell(clean(row.side), "dim")] : []),
      row.phase === null ? cell("whole run", "dim") : cell(row.phase),
      row.consumer === null ? cell("all", "dim") : cell(row.consumer),
      cell(row.metric),
      cell(formatValue(row.unit, row.before)),
      cell(formatValue(row.unit, row.after)),
      cell(formatChange(row)),
      markOf(row),
    ]),
  };
}

function markOf({ judgement }: Difference): Cell {
  switch (judgement) {
    case "better":
      return cell("better", "good");
    case "worse":
      return cell("worse", "bad");
    case "changed":
      return cell("");
  }
}

function formatValue(unit: DiffUnit, value: number | null): string {
  switch (unit) {
    case "count":
      return formatCount(value);
    case "ratio":
      return formatRatio(value);
    case "ms":
      return formatMs(value);
    case "rate":
      return formatRate(value);
  }
}

/** `+12.5%`, `−0.7 pts` for ratios. */
function formatChange({ unit, change }: Difference): string {
  if (change === null) return UNKNOWN;
  const sign = change < 0 ? "−" : "+";
  const size = Math.abs(change) * 100;
  return unit === "ratio"
    ? `${sign}${size.toFixed(1)} pts`
    : `${sign}${size >= 999.5 ? formatCount(size) : size.toFixed(1)}%`;
}
