// @ts-check
import { percent, short } from "./format.js";
import { greatest, perMinute } from "./series.js";
import { timeChart } from "./time-chart.js";

/** @typedef {import("./format.js").Report} Report */
/** @typedef {import("./format.js").Side} Side */
/** @typedef {import("./chart.js").Spec} Spec */
/** @typedef {import("./chart.js").Line} Line */

/** @param {Report} report @param {Side} side @returns {Spec | null} */
export function runningChart(report, side) {
  const { model, at_s: at } = side.timeline;
  if (model === null) return null;
  const { seats } = side;
  const waits = greatest([model.waiting]) >= 1;
  // What waits inside the model can be any number; it must not flatten what runs.
  const top = greatest(
    report.sides.flatMap(({ timeline, seats: theirs }) => [timeline.model?.running ?? [], [theirs ?? 0]]),
  );
  return timeChart(
    report,
    side,
    [
      { label: "running", values: model.running, color: "one", fill: 0.22, width: 2 },
      ...(waits
        ? [
            {
              label: "waiting in the model",
              values: model.waiting,
              color: /** @type {const} */ ("refused"),
              width: 1.5,
            },
          ]
        : []),
      ...(seats === null
        ? []
        : [
            {
              label: "seats",
              values: at.map(() => seats),
              color: /** @type {const} */ ("floor"),
              dashed: true,
              width: 1.5,
            },
          ]),
    ],
    { to: top, format: short, height: 200 },
  );
}

/** @param {Report} report @param {Side} side @returns {Spec | null} */
export function gpuChart(report, side) {
  const { model } = side.timeline;
  if (model === null) return null;
  return timeChart(
    report,
    side,
    [
      { label: "GPU busy", values: model.gpu, color: "three", width: 2, fill: 0.18 },
      { label: "KV cache used", values: model.kv, color: "four", width: 2 },
    ],
    { to: 1 / 1.06, format: percent, height: 200 },
  );
}

/** @param {Report} report @param {Side} side @returns {Spec} */
export function tokensChart(report, side) {
  /** @param {Side} other */
  const rates = (other) =>
    [other.timeline.tokens_in, other.timeline.tokens_out].map((column) => perMinute(column, other));
  const [input = [], output = []] = rates(side);
  return timeChart(
    report,
    side,
    [
      { label: "in (prompts)", values: input, color: "one", width: 2 },
      { label: "out (answers)", values: output, color: "two", width: 2 },
    ],
    { to: greatest(report.sides.flatMap(rates)), format: short, height: 200 },
  );
}
