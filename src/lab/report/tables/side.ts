import { formatCount, formatMs, formatRate, formatRatio, formatSpan, UNKNOWN } from "../numbers.ts";
import type { Figures, Percentiles, Report, Side } from "../types.ts";
import { figureTable, type FigureKey, type FigureRow } from "./figures.ts";
import { cell, left, right, type Cell, type Table } from "./table.ts";

/** Each phase, with its number and when it was, and all of them. */
export function phaseTable(side: Side, keys: readonly FigureKey[]): Table {
  const rows: FigureRow[] = side.phases.map((phase, index) => ({
    labels: [
      cell(String(index + 1), "dim"),
      cell(phase.name),
      cell(phase.to_s > phase.from_s ? `${clockTime(phase.from_s)}–${clockTime(phase.to_s)}` : "not run", "dim"),
    ],
    figures: phase,
  }));
  const all = {
    labels: [cell(""), cell("all", "bold"), cell(formatSpan(side.duration_s), "dim")],
    figures: side.total,
  };
  return figureTable("Phases", ["", "phase", "when"], [...rows, all], keys);
}

/** The same without when it was: for times and speeds. */
export function timesTable(side: Side, keys: readonly FigureKey[]): Table {
  const rows = side.phases.map((phase, index) => ({
    labels: [cell(String(index + 1), "dim"), cell(phase.name)],
    figures: phase,
  }));
  const all = { labels: [cell(""), cell("all", "bold")], figures: side.total };
  return figureTable("Times and tokens", ["", "phase"], [...rows, all], keys);
}

/** Each consumer in each phase. */
export function matrixTable(side: Side, keys: readonly FigureKey[]): Table {
  const rows = side.phases.flatMap((phase, index) =>
    side.consumers.flatMap((consumer): readonly FigureRow[] => {
      const figures = consumer.phases[index];
      if (figures === undefined || figures.sent === 0) return [];
      return [{ labels: [cell(`${index + 1} ${phase.name}`, "dim"), cell(consumer.name)], figures }];
    }),
  );
  return figureTable("Consumers in each phase", ["phase", "consumer"], rows, keys);
}

/** Percentiles of every time that was taken, over the whole run. */
export function latencyTable({ total }: Side): Table {
  const rows: readonly [string, Percentiles][] = [
    ["the first token (TTFT)", total.ttft_ms],
    ["the next piece (ITL)", total.itl_ms],
    ["each output token (TPOT)", total.tpot_ms],
    ["the last token (e2e)", total.e2e_ms],
    ["a seat, in the gate's queue", total.queue_ms],
  ];
  return {
    title: "Latency",
    columns: [left("time to"), right("count"), ...["mean", "p50", "p90", "p95", "p99", "max"].map(right)],
    rows: rows
      .filter(([, times]) => (times.max ?? 0) > 0)
      .map(([name, times]) => [cell(name), ...percentileCells(times)]),
  };
}

/** Why requests were refused, and whose. */
export function refusalTable(side: Side): Table {
  return reasonTable("Refusals", side, ({ refused_by: reasons }) => reasons);
}

/** What broke, and for whom. */
export function failureTable(side: Side): Table {
  return reasonTable("Failures", side, ({ failed_by: reasons, incomplete }) =>
    incomplete > 0 ? { ...reasons, "cut off in its answer": incomplete } : reasons,
  );
}

function reasonTable(title: string, side: Side, reasonsOf: ReasonsOf): Table {
  const { total } = side;
  return {
    title,
    columns: [left("reason"), right("count"), right("of all sent"), left("most often to")],
    rows: Object.entries(reasonsOf(total))
      .sort(([, a], [, b]) => b - a)
      .map(([reason, count]) => [
        cell(reason),
        cell(formatCount(count)),
        cell(formatRatio(total.sent === 0 ? null : count / total.sent)),
        cell(mostHit(side, reason, reasonsOf), "dim"),
      ]),
  };
}

type ReasonsOf = (figures: Figures) => Readonly<Record<string, number>>;

/** What the model says of itself, phase by phase; no rows where it was not seen. */
export function modelTable(side: Side): Table {
  return {
    title: "The model, by its own word",
    columns: [
      left(""),
      left("phase"),
      ...["TTFT", "ITL", "running", "most at once", "GPU", "KV cache"].map(right),
      left("state"),
    ],
    rows: side.phases.flatMap(({ name, model }, index) =>
      model === null
        ? []
        : [
            [
              cell(String(index + 1), "dim"),
              cell(name),
              cell(formatMs(model.ttft_ms)),
              cell(formatMs(model.itl_ms)),
              cell(formatRate(model.running)),
              overSeats(model.max_concurrent, side.seats),
              cell(formatRatio(model.gpu)),
              cell(formatRatio(model.kv)),
              stateOf(model.wedged),
            ],
          ],
    ),
  };
}

function stateOf(wedged: boolean | null): Cell {
  if (wedged === null) return cell(UNKNOWN, "dim");
  return wedged ? cell("GPU wedged", "bad") : cell("well", "good");
}

/** How late the generator sent, and how late its event loop ran. Real time. */
export function generatorTable({ generator }: Report): Table {
  return {
    title: "The generator itself (real time)",
    columns: [left(""), right("count"), ...["mean", "p50", "p90", "p95", "p99", "max"].map(right)],
    rows: [
      [cell("sent late by"), ...percentileCells(generator.send_lag_ms)],
      [cell("event loop late by"), ...percentileCells(generator.loop_lag_ms)],
    ],
  };
}

/** `4:05`, `1:04:05`. */
function clockTime(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

function percentileCells(times: Percentiles): readonly Cell[] {
  const columns = [times.mean, times.p50, times.p90, times.p95, times.p99, times.max];
  return [cell(formatCount(times.count), "dim"), ...columns.map((value) => cell(formatMs(value)))];
}

function overSeats(most: number | null, seats: number | null): Cell {
  return cell(formatCount(most), most !== null && seats !== null && most > seats ? "bad" : "plain");
}

function mostHit(side: Side, reason: string, reasonsOf: ReasonsOf): string {
  const hit = side.consumers
    .map((consumer) => ({ name: consumer.name, count: reasonsOf(consumer)[reason] ?? 0 }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
  const [first, ...others] = hit;
  if (first === undefined) return UNKNOWN;
  return `${first.name} ${formatCount(first.count)}${others.length === 0 ? "" : `, ${others.length} more`}`;
}
