// @ts-check
import { compact, short } from "./format.js";
import { wedgedAt } from "./series.js";

/** @typedef {import("./format.js").Report} Report */
/** @typedef {import("./format.js").Side} Side */
/** @typedef {import("./chart.js").Spec} Spec */
/** @typedef {import("./chart.js").Line} Line */

/**
 * A chart over the time of the run. Its time axis is the same on all sides.
 * @param {Report} report
 * @param {Side} side
 * @param {readonly Line[]} lines
 * @param {{ to: number, format: (value: number) => string, height: number }} look
 * @returns {Spec}
 */
export function timeChart(report, side, lines, { to, format, height }) {
  return {
    x: "time",
    at: side.timeline.at_s,
    lines,
    y: { from: 0, to: (to > 0 ? to : 1) * 1.06, log: false },
    format,
    axisFormat: format === short ? compact : format,
    // What never began, of a run that was cut short, has no place.
    phases: side.phases.filter(({ from_s: from, to_s: to }) => to > from),
    until: Math.max(
      ...report.sides.map(({ duration_s: duration, phases }) => Math.max(duration, phases.at(-1)?.to_s ?? 0)),
    ),
    wedgedAt: wedgedAt(side),
    height,
  };
}
