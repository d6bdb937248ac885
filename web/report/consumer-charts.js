// @ts-check
import { short } from "./format.js";
import { greatest, perMinute, sumOf } from "./series.js";
import { timeChart } from "./time-chart.js";

/** @typedef {import("./format.js").Report} Report */
/** @typedef {import("./format.js").Side} Side */
/** @typedef {import("./chart.js").Spec} Spec */
/** @typedef {import("./chart.js").Line} Line */

/** @param {Report} report @param {Side} side @param {readonly number[]} who @returns {Spec} */
export function servedChart(report, side, who) {
  // Where a gate shares the capacity out, its sides set the scale: without it anything can happen, and would flatten them.
  const gated = report.sides.filter(({ capacity_per_minute: capacity }) => capacity !== null);
  const judges = gated.length > 0 ? gated : report.sides;
  /** @param {readonly number[]} consumers */
  const most = (consumers) =>
    greatest(judges.flatMap((other) => servedLines(report, other, consumers).map(({ values }) => values)));
  const mine = most(who);
  const everyone = Math.max(...side.timeline.consumers.map((_, index) => most([index])));
  // One scale for all consumers makes them comparable; who is far smaller would be a flat line on it.
  const top = mine > everyone / 5 && mine <= everyone ? everyone : mine;
  const room = gated.length > 0 && gated.length < report.sides.length ? 1.25 : 1;
  return timeChart(report, side, servedLines(report, side, who), { to: top * room, format: short, height: 176 });
}

/** @param {Report} report @param {Side} side @param {readonly number[]} who @returns {Line[]} */
function servedLines(report, side, who) {
  const { timeline } = side;
  const columns = timeline.consumers.filter((_, index) => who.includes(index));
  const length = timeline.at_s.length;
  const entitled = columns.flatMap((column) => (column.entitled === null ? [] : [column.entitled]));
  const names = columns.map(({ name }) => name);
  const own = floorOf(side, names);
  // Beside a side with floors, one without them is measured by the same.
  const other = report.sides.find((candidate) => floorOf(candidate, names) !== null);
  const floor = own ?? (other === undefined ? null : floorOf(other, names));
  return [
    // Wide and below the rest: what is served as it should be runs inside it.
    ...(entitled.length > 0
      ? [
          {
            label: "entitled to",
            values: perMinute(sumOf(entitled, length), side),
            color: /** @type {const} */ ("entitled"),
            width: 5,
          },
        ]
      : []),
    {
      label: "served",
      values: perMinute(
        sumOf(
          columns.map((column) => column.served),
          length,
        ),
        side,
      ),
      color: "served",
      width: 1.75,
      fill: 0.2,
    },
    ...(floor === null
      ? []
      : [
          {
            label: own === null ? `floor ${other?.name ?? ""}` : "floor",
            values: timeline.at_s.map(() => floor),
            color: /** @type {const} */ ("floor"),
            dashed: true,
            width: 1.5,
          },
        ]),
  ];
}

/**
 * What a group is guaranteed together. The pool's floor belongs to all its members: it is a floor of theirs only where
 * all of them are here.
 * @param {Side} side
 * @param {readonly string[]} names
 */
function floorOf(side, names) {
  const mine = side.consumers.filter(({ name }) => names.includes(name));
  const pool = side.consumers.filter(({ reservation }) => reservation === null);
  const pooled = mine.filter(({ reservation }) => reservation === null);
  if (mine.length === 0 || mine.some(({ floor_per_minute: floor }) => floor === null)) return null;
  if (pooled.length > 0 && pooled.length < pool.length) return null;
  const own = mine.reduce(
    (sum, { reservation, floor_per_minute: floor }) => sum + (reservation === null ? 0 : (floor ?? 0)),
    0,
  );
  return own + (pooled[0]?.floor_per_minute ?? 0);
}

/** @param {Report} report @param {Side} side @returns {Spec} */
export function flowChart(report, side) {
  const { timeline, capacity_per_minute: capacity } = side;
  const rates = flowRates(side);
  const top = greatest(report.sides.map((other) => flowRates(other).sent));
  const refused = plus(rates.served, rates.refused);
  const others = minus(rates.sent, refused);
  const hasOthers = greatest([others]) > 0.01 * top;
  const hasRefused = greatest([rates.refused]) > 0;
  /** @type {Line[]} */
  const lines = [
    { label: "served", values: rates.served, color: "served", width: 1.5, fill: 0.75 },
    ...(hasRefused
      ? [
          {
            label: "refused",
            values: refused,
            said: rates.refused,
            color: /** @type {const} */ ("refused"),
            width: 1.5,
            area: 0.55,
          },
        ]
      : []),
    ...(hasOthers
      ? [
          {
            label: "failed, cut off or hung up",
            values: rates.sent,
            said: others,
            color: /** @type {const} */ ("broken"),
            width: 1.5,
            area: 0.5,
          },
        ]
      : []),
    { label: "all that were sent", values: rates.sent, color: "ink", width: 1 },
    ...(capacity === null
      ? []
      : [
          {
            label: "capacity",
            values: timeline.at_s.map(() => capacity),
            color: /** @type {const} */ ("floor"),
            dashed: true,
            width: 1.5,
          },
        ]),
  ];
  return {
    ...timeChart(report, side, lines, { to: top, format: short, height: 250 }),
    areas: [
      ...(hasRefused ? [{ upper: 1, lower: 0, color: /** @type {const} */ ("refused"), opacity: 0.55 }] : []),
      ...(hasOthers
        ? [
            {
              upper: hasRefused ? 2 : 1,
              lower: hasRefused ? 1 : 0,
              color: /** @type {const} */ ("broken"),
              opacity: 0.5,
            },
          ]
        : []),
    ],
  };
}

/** @typedef {readonly (number | null)[]} Rates */

/** @param {Rates} some @param {Rates} more */
function plus(some, more) {
  return some.map((value, index) => (value === null ? null : value + (more[index] ?? 0)));
}

/** @param {Rates} some @param {Rates} less */
function minus(some, less) {
  return some.map((value, index) => (value === null ? null : Math.max(0, value - (less[index] ?? 0))));
}

/** @param {Side} side */
function flowRates(side) {
  const { timeline } = side;
  /** @param {"sent" | "served" | "refused"} key */
  const rate = (key) =>
    perMinute(
      sumOf(
        timeline.consumers.map((column) => column[key]),
        timeline.at_s.length,
      ),
      side,
    );
  return { sent: rate("sent"), served: rate("served"), refused: rate("refused") };
}
