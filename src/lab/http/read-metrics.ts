import type { Ms } from "../../core/units.ts";
import type { ModelReading } from "../load/types.ts";
import { AVERAGED, METRIC_FIELDS, METRIC_NAMES, type MetricField } from "./metric-names.ts";

/** One meaning of a name on a page. */
interface Meaning {
  readonly field: MetricField;
  /** Its place in the list of names: the lowest on a page counts. */
  readonly rank: number;
  readonly factor: number;
}

/** What has been found of one field. */
interface Found {
  rank: number;
  sum: number;
  count: number;
}

const MEANINGS = indexNames();

/**
 * Reads a page in Prometheus' text format, or several in one, at `at`. Names that nobody knows are passed over, and what no
 * name on the page says is NaN. `timeScale`: milliseconds of scenario time in one of the server's.
 */
export function readMetrics(page: string, at: Ms, timeScale = 1): ModelReading {
  const found = findValues(page);
  const value = (field: MetricField): number => {
    const one = found.get(field);
    if (one === undefined) return Number.NaN;
    return AVERAGED.has(field) ? one.sum / one.count : one.sum;
  };
  return {
    at,
    running: value("running"),
    waiting: value("waiting"),
    gpu: value("gpu"),
    kv: value("kv"),
    promptTokens: value("promptTokens"),
    generatedTokens: value("generatedTokens"),
    ttft: { sumMs: value("ttftSum") * timeScale, count: value("ttftCount") },
    itl: { sumMs: value("itlSum") * timeScale, count: value("itlCount") },
    peak: Number.NaN,
    wedged: undefined,
  };
}

function findValues(page: string): ReadonlyMap<MetricField, Found> {
  const found = new Map<MetricField, Found>();
  for (let start = 0; start < page.length;) {
    const newline = page.indexOf("\n", start);
    const end = newline === -1 ? page.length : newline;
    const meanings = MEANINGS.get(page.slice(start, endOfName(page, start, end)));
    if (meanings !== undefined) {
      const value = readValue(page.slice(start, end));
      for (const meaning of meanings) note(found, meaning, value);
    }
    start = end + 1;
  }
  return found;
}

/** Most lines are comments and buckets; of those no more than this is looked at. */
function endOfName(page: string, start: number, end: number): number {
  for (let index = start; index < end; index++) {
    const code = page.charCodeAt(index);
    if (code === 0x7b || code === 0x20) return index;
  }
  return end;
}

/** `name{labels} value timestamp`, where labels may hold anything in their quotes, and the timestamp may be absent. */
function readValue(line: string): number {
  const afterLabels = line.lastIndexOf("}");
  const rest = line.slice(afterLabels === -1 ? line.indexOf(" ") : afterLabels + 1).trim();
  return rest === "" ? Number.NaN : Number(rest.split(" ", 1)[0]);
}

function note(found: Map<MetricField, Found>, { field, rank, factor }: Meaning, value: number): void {
  if (Number.isNaN(value)) return;
  const one = found.get(field);
  if (one === undefined || rank < one.rank) {
    found.set(field, { rank, sum: value * factor, count: 1 });
  } else if (rank === one.rank) {
    one.sum += value * factor;
    one.count += 1;
  }
}

function indexNames(): ReadonlyMap<string, readonly Meaning[]> {
  const index = new Map<string, Meaning[]>();
  for (const field of METRIC_FIELDS) {
    for (const [rank, entry] of METRIC_NAMES[field].entries()) {
      const [name, factor] = typeof entry === "string" ? [entry, 1] : entry;
      const meanings = index.get(name) ?? [];
      meanings.push({ field, rank, factor });
      index.set(name, meanings);
    }
  }
  return index;
}
