import { formatCount, formatMs, formatRate, formatRatio } from "../numbers.ts";
import type { Figures } from "../types.ts";
import { cell, left, right, type Cell, type Column, type Table, type Tone } from "./table.ts";

/** The columns that there are. */
export type FigureKey =
  | "sent"
  | "served"
  | "success"
  | "satisfied"
  | "refused"
  | "broken"
  | "left"
  | "perMinute"
  | "worst"
  | "floor"
  | "utilization"
  | "ttftP50"
  | "ttftP99"
  | "itlP50"
  | "itlP99"
  | "e2eP50"
  | "e2eP99"
  | "queueP99"
  | "tokensIn"
  | "tokensOut"
  | "goodput"
  | "promptSpeed"
  | "generationSpeed";

interface FigureColumn {
  readonly title: string;
  readonly cell: (figures: Figures) => Cell;
  /** Whether the figures say anything; a column in which none do is left out. Without it the column always stands. */
  readonly known?: (figures: Figures) => boolean;
}

/** Everything that a table can say of some requests. */
const COLUMNS: Readonly<Record<FigureKey, FigureColumn>> = {
  sent: count("sent", (figures) => figures.sent),
  served: count("served", (figures) => figures.served),
  success: ratio("success", (figures) => figures.success),
  satisfied: {
    ...ratio("satisfied", (figures) => figures.satisfied),
    // Where nobody tries again it is the success.
    known: ({ sent, intended }) => sent > intended,
  },
  refused: { title: "refused", cell: ({ refused }) => zeroDim(refused, "plain") },
  broken: {
    title: "failed",
    cell: ({ failed, incomplete }) => zeroDim(failed + incomplete, "bad"),
    known: ({ failed, incomplete }) => failed + incomplete > 0,
  },
  left: {
    title: "hung up",
    cell: (figures) => zeroDim(figures.aborted + figures.gave_up, "plain"),
    known: (figures) => figures.aborted + figures.gave_up > 0,
  },
  perMinute: { title: "per min", cell: (figures) => cell(formatRate(figures.served_per_minute)) },
  worst: {
    title: "worst",
    cell: (figures) => cell(formatCount(figures.worst_window)),
    known: ({ worst_window: worst, floor }) => worst !== null && floor !== null,
  },
  floor: {
    title: "floor",
    cell: ({ floor }) => cell(formatRatio(floor), toneOfFloor(floor)),
    known: ({ floor }) => floor !== null,
  },
  utilization: { ...ratio("used", ({ utilization }) => utilization), known: ({ utilization }) => utilization !== null },
  ttftP50: time("TTFT p50", ({ ttft_ms: ttft }) => ttft.p50),
  ttftP99: time("TTFT p99", ({ ttft_ms: ttft }) => ttft.p99),
  itlP50: time("ITL p50", ({ itl_ms: itl }) => itl.p50),
  itlP99: time("ITL p99", ({ itl_ms: itl }) => itl.p99),
  e2eP50: time("e2e p50", ({ e2e_ms: e2e }) => e2e.p50),
  e2eP99: time("e2e p99", ({ e2e_ms: e2e }) => e2e.p99),
  queueP99: {
    ...time("queue p99", ({ queue_ms: queue }) => queue.p99),
    known: ({ queue_ms: queue }) => (queue.max ?? 0) >= 1,
  },
  tokensIn: rate("in tok/s", (figures) => figures.tokens_in_per_s),
  tokensOut: rate("out tok/s", (figures) => figures.tokens_out_per_s),
  goodput: { ...ratio("good", ({ goodput }) => goodput), known: ({ goodput }) => goodput !== null },
  promptSpeed: rate("prompt t/s", (figures) => figures.prompt_tokens_per_s),
  generationSpeed: rate("gen t/s", (figures) => figures.generation_tokens_per_s),
};

export interface FigureRow {
  readonly labels: readonly Cell[];
  readonly figures: Figures;
}

/** A table of figures: the labels of each row, then the columns asked for, without those that nothing is known of. */
export function figureTable(
  title: string,
  labels: readonly string[],
  rows: readonly FigureRow[],
  keys: readonly FigureKey[],
): Table {
  const known = keys.filter((key) => isKnown(COLUMNS[key], rows));
  const columns: readonly Column[] = [...labels.map(left), ...known.map((key) => right(COLUMNS[key].title))];
  return {
    title,
    columns,
    rows: rows.map((row) => [...row.labels, ...known.map((key) => COLUMNS[key].cell(row.figures))]),
  };
}

/** Below 99 % of a floor is a broken promise; what lies between is the width of a window's edge. */
export function toneOfFloor(floor: number | null): Tone {
  if (floor === null) return "dim";
  if (floor >= 0.99) return "good";
  return floor >= 0.95 ? "warn" : "bad";
}

function isKnown({ known }: FigureColumn, rows: readonly FigureRow[]): boolean {
  return known === undefined || rows.some(({ figures }) => known(figures));
}

function count(title: string, of: (figures: Figures) => number): FigureColumn {
  return { title, cell: (figures) => cell(formatCount(of(figures))) };
}

function ratio(title: string, of: (figures: Figures) => number | null): FigureColumn {
  return { title, cell: (figures) => cell(formatRatio(of(figures))) };
}

function time(title: string, of: (figures: Figures) => number | null): FigureColumn {
  return { title, cell: (figures) => cell(formatMs(of(figures))) };
}

function rate(title: string, of: (figures: Figures) => number | null): FigureColumn {
  return { title, cell: (figures) => cell(formatRate(of(figures))), known: (figures) => of(figures) !== null };
}

function zeroDim(count: number, tone: Tone): Cell {
  return count === 0 ? cell("0", "dim") : cell(formatCount(count), tone);
}
