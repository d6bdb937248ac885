// @ts-check
import { flowChart, servedChart } from "./consumer-charts.js";
import { distributionChart, latencyChart } from "./latency-charts.js";
import { gpuChart, runningChart, tokensChart } from "./model-charts.js";

/** @typedef {import("./format.js").Report} Report */
/** @typedef {import("./format.js").Side} Side */
/** @typedef {import("./chart.js").Spec} Spec */

/**
 * What the page asks of a chart: its kind, its side, and whose requests.
 * @typedef {{ kind: string, side: number, consumers: readonly number[] }} Wish
 */

/**
 * The chart for a wish; null where the report has nothing for it. Scales are the same on all sides.
 * @param {Report} report
 * @param {Wish} wish
 * @returns {Spec | null}
 */
export function chartFor(report, wish) {
  const side = report.sides[wish.side];
  if (side === undefined) return null;
  switch (wish.kind) {
    case "served":
      return servedChart(report, side, wish.consumers);
    case "flow":
      return flowChart(report, side);
    case "latency":
      return latencyChart(report, side);
    case "running":
      return runningChart(report, side);
    case "gpu":
      return gpuChart(report, side);
    case "tokens":
      return tokensChart(report, side);
    case "ttft":
    case "itl":
    case "e2e":
      return distributionChart(report, wish.kind);
    default:
      return null;
  }
}
