import type { AutocannonRow } from "./against-autocannon.ts";
import type { ModelRow } from "./against-model.ts";

/** What differs by more is wrong. */
const TOLERANCE = 0.03;

export interface Proof {
  readonly model: readonly ModelRow[];
  readonly autocannon: readonly AutocannonRow[];
}

/** How far the generator is above the model, as a fraction of that. */
function offBy(row: ModelRow, name: "ttft" | "itl" | "e2e"): number {
  return row[name].generator / row[name].model - 1;
}

/** The same for the time to the first token, without what the model cannot know of. */
function offWithoutDetour({ ttft, detour }: ModelRow): number {
  return (ttft.generator - detour.wayMs - detour.timersMs) / ttft.model - 1;
}

/** Everything that is off by more than 3 %, in words. A time to the first token is judged without the detour. */
export function misses({ model, autocannon }: Proof): readonly string[] {
  const found: string[] = [];
  const note = (what: string, off: number): void => {
    if (!(Math.abs(off) <= TOLERANCE)) found.push(`${what} is off by ${percent(off)}`);
  };
  for (const row of model) {
    const where = `of ${row.preset}, ${row.load}`;
    note(`the time to the first token ${where}, less the detour,`, offWithoutDetour(row));
    note(`the time between tokens ${where}`, offBy(row, "itl"));
    note(`the whole time ${where}`, offBy(row, "e2e"));
    if (row.served !== row.requests) found.push(`${row.requests - row.served} were not served ${where}`);
  }
  for (const { connections, generator, autocannon: other } of autocannon) {
    for (const name of ["p50", "p90", "p99"] as const) {
      note(`${name} on ${connections} connections`, generator[name] / other[name] - 1);
    }
  }
  return found;
}

export function modelTable(rows: readonly ModelRow[]): string {
  const head = [
    "",
    "requests",
    "mean, ms",
    "generator",
    "model",
    "off by",
    "way",
    "timers",
    "less both",
    "late p99",
    "cpu",
  ];
  const lines = rows.flatMap((row) =>
    (["ttft", "itl", "e2e"] as const).map((name) => {
      const isFirst = name === "ttft";
      return [
        isFirst ? `${row.preset}, ${row.load}` : "",
        isFirst ? `${row.requests}` : "",
        name,
        ms(row[name].generator),
        ms(row[name].model),
        percent(offBy(row, name)),
        ...(isFirst ? detourCells(row) : []),
      ];
    }),
  );
  const medians = rows.map((row) => `${ms(row.ttftP50)} (${row.ttftP50Within.join(" to ")})`).join(", ");
  return `${table(head, lines)}\nmedian ttft by the generator, and by the model's buckets: ${medians}\n`;
}

function detourCells(row: ModelRow): readonly string[] {
  const { wayMs, timersMs } = row.detour;
  return [ms(wayMs), ms(timersMs), percent(offWithoutDetour(row)), ms(row.lateMs), percent(row.cpu)];
}

export function autocannonTable(rows: readonly AutocannonRow[]): string {
  const head = ["connections", "", "p50, ms", "p90", "p99", "requests"];
  const parts = ["p50", "p90", "p99"] as const;
  const lines = rows.flatMap(({ connections, generator, autocannon }) => [
    [`${connections}`, "generator", ...parts.map((part) => ms(generator[part])), `${generator.requests}`],
    ["", "autocannon", ...parts.map((part) => ms(autocannon[part])), `${autocannon.requests}`],
    ["", "off by", ...parts.map((part) => percent(generator[part] / autocannon[part] - 1)), ""],
  ]);
  return table(head, lines);
}

function ms(value: number): string {
  return value.toFixed(2);
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)}%`;
}

/** The first column to the left, all else to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  return `${text.join("\n")}\n`;
}
