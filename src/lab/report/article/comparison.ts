import { formatCount, formatMs, formatRate, formatRatio, UNKNOWN } from "../numbers.ts";
import { toneOfFloor } from "../tables/figures.ts";
import { cell, left, right, type Cell, type Table } from "../tables/table.ts";
import type { Figures, PhaseFigures, Report, Side } from "../types.ts";
import { judgedSides, wedgeText } from "../verdict.ts";
import { FRAGILE_GPU, PROMPT_SPEED, SHARED_DEPLOYMENT } from "./figures.ts";

/**
 * Our figures beside those of the source that the scenario was made after: `shared-deployment`, `fragile-gpu`,
 * `prompt-speed`. No tables for other scenarios.
 */
export function comparisonWithArticle(report: Report): readonly Table[] {
  const [side] = judgedSides(report);
  if (side === undefined) return [];
  switch (report.scenario.name) {
    case "shared-deployment":
      return [situations(side), consumers(side), model(side)];
    case "fragile-gpu":
      return [stressTests(side)];
    case "prompt-speed":
      return [promptSpeeds(report)];
    default:
      return [];
  }
}

function situations(side: Side): Table {
  return {
    title: SHARED_DEPLOYMENT.title,
    columns: [
      left("situation"),
      right("load"),
      left("the article saw"),
      right("ours: served"),
      right("per min"),
      right("floors"),
    ],
    rows: SHARED_DEPLOYMENT.situations.flatMap(({ phase: name, load, saw }) => {
      const phase = side.phases.find((candidate) => candidate.name === name);
      return [[cell(name), cell(load, "dim"), cell(saw, "dim"), ...situationCells(phase)], ...devRow(side, phase)];
    }),
  };
}

function situationCells(figures: Figures | undefined): readonly Cell[] {
  if (figures === undefined) return [cell(UNKNOWN), cell(UNKNOWN), cell(UNKNOWN)];
  return [
    cell(formatRatio(figures.success)),
    cell(formatRate(figures.served_per_minute)),
    cell(formatRatio(figures.floor), toneOfFloor(figures.floor)),
  ];
}

/** Below the late joiner, the one who joins: what counts is its fullest window. */
function devRow(side: Side, phase: PhaseFigures | undefined): readonly (readonly Cell[])[] {
  if (phase?.name !== "late joiner") return [];
  const dev = side.consumers.find(({ name }) => name === "dev")?.phases[side.phases.indexOf(phase)];
  if (dev === undefined) return [];
  const [success, , floor] = situationCells(dev);
  const fullest = cell(formatCount(dev.fullest_window));
  return [
    [cell("… dev, fullest window"), cell(""), cell("~200/min", "dim"), success ?? cell(""), fullest, floor ?? cell("")],
  ];
}

function consumers(side: Side): Table {
  return {
    title: "Over the whole run",
    columns: [
      left("consumer"),
      right("reserved"),
      right("article: success"),
      right("served"),
      right("ours: success"),
      right("served"),
      right("worst floor"),
    ],
    rows: SHARED_DEPLOYMENT.consumers.map((theirs) => {
      const ours = side.consumers.find(({ name }) => name === theirs.name);
      return [
        cell(theirs.name),
        cell(ours?.reservation == null ? "pool" : formatRatio(ours.reservation), "dim"),
        cell(formatRatio(theirs.success), "dim"),
        cell(formatCount(theirs.served), "dim"),
        cell(formatRatio(ours?.success ?? null)),
        cell(formatCount(ours?.served ?? null)),
        cell(formatRatio(ours?.floor ?? null)),
      ];
    }),
  };
}

function model(side: Side): Table {
  const theirs = SHARED_DEPLOYMENT.model;
  const busiest = [...side.phases].sort((a, b) => (b.model?.running ?? 0) - (a.model?.running ?? 0))[0]?.model ?? null;
  const { tokens_in: input, tokens_out: output } = side.timeline;
  const peak = fullestMinute(
    side,
    input.map((count, index) => count + (output[index] ?? 0)),
  );
  const { tokens } = SHARED_DEPLOYMENT;
  const rows: readonly [string, string, string][] = [
    ["GPU busy, fullest phase", theirs.gpu, formatRatio(busiest?.gpu ?? null)],
    ["time to first token", formatMs(theirs.ttftMs), formatMs(busiest?.ttft_ms ?? null)],
    ["time between tokens", formatMs(theirs.itlMs), formatMs(busiest?.itl_ms ?? null)],
    [
      "requests at once",
      theirs.concurrent,
      `${formatRate(busiest?.running ?? null)}, at most ${formatCount(side.model?.max_concurrent ?? null)}`,
    ],
    ["tokens in the fullest minute", formatCount(tokens.all), formatCount(peak)],
    [
      "… in / out",
      `${formatCount(tokens.input)} / ${formatCount(tokens.output)}`,
      `${formatCount(fullestMinute(side, input))} / ${formatCount(fullestMinute(side, output))}`,
    ],
  ];
  return {
    title: "The model under it",
    columns: [left(""), right("article"), right("ours")],
    rows: rows.map(([name, article, ours]) => [cell(name), cell(article, "dim"), cell(ours)]),
  };
}

function stressTests(side: Side): Table {
  const rows = FRAGILE_GPU.tests.map((theirs, index) => {
    const phase = side.phases[index];
    // Those who hang up on purpose are not meant to be served.
    const meant = phase === undefined ? 0 : phase.sent - phase.aborted;
    return [
      cell(theirs.name),
      cell(phase?.name ?? "no such phase", "dim"),
      cell(`${theirs.served}/${theirs.sent}`, "dim"),
      cell(
        phase === undefined ? "" : `${phase.served}/${meant}`,
        phase !== undefined && phase.served === meant ? "good" : "bad",
      ),
    ];
  });
  const errors = wedgeText(side) === null ? 0 : 1;
  return {
    title: FRAGILE_GPU.title,
    columns: [left("test"), left("phase"), right("article"), right("ours")],
    rows: [
      ...rows,
      [
        cell("GPU errors"),
        cell(""),
        cell(String(FRAGILE_GPU.gpuErrors), "dim"),
        cell(String(errors), errors === 0 ? "good" : "bad"),
      ],
    ],
  };
}

function promptSpeeds(report: Report): Table {
  const small = report.sides.find(({ name }) => name.includes("256"));
  const large = report.sides.find((side) => side !== small);
  const ours = (side: Side | undefined, phase: string): Cell => {
    const figures = side?.phases.find(({ name }) => name === phase);
    const speed = phase === "generation" ? figures?.generation_tokens_per_s : figures?.prompt_tokens_per_s;
    return cell(formatRate(speed ?? null));
  };
  return {
    title: PROMPT_SPEED.title,
    columns: [left("prompt"), right("batch 256: article"), right("ours"), right("batch 1024: article"), right("ours")],
    rows: PROMPT_SPEED.rows.map(({ phase, batch256, batch1024 }) => [
      cell(phase),
      cell(formatRate(batch256), "dim"),
      ours(small, phase),
      cell(formatRate(batch1024), "dim"),
      ours(large, phase),
    ]),
  };
}

/** The most that came within any 60 s. */
function fullestMinute({ timeline }: Side, counts: readonly number[]): number {
  const steps = Math.max(1, Math.round(60 / timeline.step_s));
  let [sum, most] = [0, 0];
  counts.forEach((count, index) => {
    sum += count - (counts[index - steps] ?? 0);
    most = Math.max(most, sum);
  });
  return most;
}
