// @ts-check
import { duration, percent } from "./format.js";
import { greatest, leastAboveZero } from "./series.js";
import { timeChart } from "./time-chart.js";

/** @typedef {import("./format.js").Report} Report */
/** @typedef {import("./format.js").Side} Side */
/** @typedef {import("./chart.js").Spec} Spec */
/** @typedef {import("./chart.js").Line} Line */

/** @param {Report} report @param {Side} side @returns {Spec} */
export function latencyChart(report, side) {
  /** @param {Side} other */
  const columns = ({ timeline }) => [
    timeline.ttft_p50_ms,
    timeline.ttft_p99_ms,
    timeline.e2e_p50_ms,
    timeline.e2e_p99_ms,
  ];
  const { timeline } = side;
  const all = report.sides.flatMap(columns);
  const spec = timeChart(
    report,
    side,
    [
      { label: "whole answer p99", values: timeline.e2e_p99_ms, color: "two", width: 1 },
      { label: "whole answer median", values: timeline.e2e_p50_ms, color: "two", width: 2.5 },
      { label: "first token p99", values: timeline.ttft_p99_ms, color: "one", width: 1 },
      { label: "first token median", values: timeline.ttft_p50_ms, color: "one", width: 2.5 },
    ],
    { to: 1, format: duration, height: 230 },
  );
  return {
    ...spec,
    y: { ...logRange(leastAboveZero(all) ?? 1, greatest(all) || 10), log: true },
    areas: [
      { upper: 0, lower: 1, color: "two", opacity: 0.18 },
      { upper: 2, lower: 3, color: "one", opacity: 0.18 },
    ],
  };
}

/** @param {Report} report @param {"ttft" | "itl" | "e2e"} kind @returns {Spec | null} */
export function distributionChart(report, kind) {
  const sides = report.sides.filter((side) => side.distributions[kind].ms.length > 0);
  if (sides.length === 0) return null;
  const tables = sides.map(({ distributions }) => {
    const { ms, fraction } = distributions[kind];
    // A logarithmic scale has no place for 0.
    return /** @type {[number[], number[]]} */ ([[...ms].map((value) => Math.max(value, 0.1)), [...fraction]]);
  });
  const [at = [], ...columns] = uPlot.join(tables);
  const { ttft_ms: ttft, tpot_ms: tpot, e2e_ms: e2e } = report.scenario.slo;
  const objective = { ttft, itl: tpot, e2e }[kind];
  const names = /** @type {const} */ (["one", "two", "three", "four"]);
  const x = /** @type {number[]} */ ([...at]);
  return {
    x: "log",
    at: x.length === 1 ? [...x, (x[0] ?? 1) * 1.01] : x,
    lines: columns.map((values, index) => ({
      label: report.sides.length === 1 ? "of all answers" : (sides[index]?.name ?? ""),
      values: [...values].map((value) => value ?? null),
      color: names[index % names.length] ?? "one",
      width: 2,
    })),
    y: { from: 0, to: 1.02, log: false },
    format: percent,
    mark: objective === null ? null : { at: objective, label: `objective ${duration(objective)}` },
    phases: [],
    until: 0,
    wedgedAt: null,
    height: 200,
  };
}

/** @param {number} least @param {number} most */
function logRange(least, most) {
  return { from: least / 1.3, to: most * 1.3 };
}
