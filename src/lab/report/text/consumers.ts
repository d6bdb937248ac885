import { formatCount } from "../numbers.ts";
import { figureTable, type FigureKey } from "../tables/figures.ts";
import { cell, left, type Cell, type Table } from "../tables/table.ts";
import type { ConsumerFigures, Side } from "../types.ts";

const KEYS: readonly FigureKey[] = [
  "sent",
  "served",
  "success",
  "satisfied",
  "broken",
  "left",
  "worst",
  "floor",
  "goodput",
  "ttftP50",
  "ttftP99",
];
const MOST_SHOWN = 12;

/**
 * A row for each consumer, and what it was refused for in the last column; further reasons stand below it. Without
 * `verbose` those that were served least are only counted.
 */
export function consumerTextTable(side: Side, verbose: boolean): Table {
  const shown = verbose ? side.consumers : mostServed(side.consumers);
  const table = figureTable(
    "Consumers",
    ["consumer"],
    shown.map((consumer) => ({ labels: [cell(consumer.name)], figures: consumer })),
    KEYS,
  );
  const hidden = side.consumers.length - shown.length;
  const rows = table.rows.flatMap((row, index) => withReasons(row, shown[index]));
  return {
    ...table,
    columns: [...table.columns, left("refused by")],
    rows: hidden === 0 ? rows : [...rows, [cell(`and ${hidden} more`, "dim"), ...table.columns.map(() => cell(""))]],
  };
}

function withReasons(row: readonly Cell[], consumer: ConsumerFigures | undefined): readonly (readonly Cell[])[] {
  const reasons = Object.entries(consumer?.refused_by ?? {})
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => cell(`${formatCount(count)} ${reason}`));
  const [first = cell("–", "dim"), ...others] = reasons;
  return [[...row, first], ...others.map((reason) => [...row.map(() => cell("")), reason])];
}

/** In their own order. */
function mostServed(consumers: readonly ConsumerFigures[]): readonly ConsumerFigures[] {
  if (consumers.length <= MOST_SHOWN) return consumers;
  const kept = new Set([...consumers].sort((a, b) => b.served - a.served).slice(0, MOST_SHOWN - 1));
  return consumers.filter((consumer) => kept.has(consumer));
}
