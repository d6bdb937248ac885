// @ts-check
import { clock, duration } from "./format.js";
import { LABEL_ROOM, phaseBands } from "./phases.js";
import { greatest, isolated } from "./series.js";
import { FONT, color, scaledFont, tint } from "./theme.js";

/**
 * A line of a chart. `said` are the values that the legend says, where the line stands elsewhere (stacked).
 * @typedef {object} Line
 * @property {string} label
 * @property {readonly (number | null)[]} values
 * @property {readonly (number | null)[]} [said]
 * @property {import("./theme.js").ColorName} color
 * @property {number} [width]
 * @property {boolean} [dashed]
 * @property {number} [fill] opacity of the area below, down to the axis
 * @property {number} [area] opacity of the area below, where another line bounds it; for the legend
 */

/**
 * What a chart shows.
 * @typedef {object} Spec
 * @property {"time" | "log"} x log: durations in ms
 * @property {readonly number[]} at
 * @property {readonly Line[]} lines
 * @property {readonly { upper: number, lower: number, color: import("./theme.js").ColorName, opacity: number }[]} [areas] between two lines, counted from 0
 * @property {{ from: number, to: number, log: boolean }} y
 * @property {(value: number) => string} format for the legend
 * @property {(value: number) => string} [axisFormat] where the axis needs fewer digits
 * @property {{ at: number, label: string } | null} [mark] a place on the x axis
 * @property {readonly import("./phases.js").Span[]} phases
 * @property {number} until end of the time axis, seconds
 * @property {number | null} wedgedAt
 * @property {number} height
 */

const AXIS_WIDTH = 52;
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14_400];

/**
 * Draws a chart into its place. The caller destroys it.
 * @param {HTMLElement} host
 * @param {Spec} spec
 * @returns {uPlot}
 */
export function draw(host, spec) {
  const isTime = spec.x === "time";
  const last = spec.at.at(-1) ?? 1;
  /** @type {uPlot.Options} */
  const options = {
    width: host.clientWidth,
    height: spec.height,
    padding: [isTime ? LABEL_ROOM : 14, 18, 0, 0],
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 6 },
      ...(isTime ? { sync: { key: "time" } } : {}),
    },
    scales: {
      x: isTime ? { time: false, range: [0, spec.until] } : { time: false, distr: 3, range: [spec.at[0] ?? 1, last] },
      y: { distr: spec.y.log ? 3 : 1, range: [spec.y.from, spec.y.to] },
    },
    axes: [
      {
        ...axisStyle(),
        size: 28,
        ...(isTime
          ? { incrs: TIME_STEPS, space: 48, values: (_, at) => at.map(clock) }
          : {
              splits: (_, __, from, to) => oneTwoFive(from, to),
              filter: (_, at) => at,
              values: (_, at) => at.map(duration),
            }),
      },
      {
        ...axisStyle(),
        size: AXIS_WIDTH,
        space: 28,
        ...(spec.y.log ? { splits: (_, __, from, to) => oneTwoFive(from, to), filter: (_, at) => at } : {}),
        values: (_, at) => at.map(spec.axisFormat ?? spec.format),
      },
    ],
    legend: {
      markers: {
        width: (_, index) => ((spec.lines[index - 1]?.width ?? 2) >= 1.5 ? 2 : 1),
        dash: (_, index) => (spec.lines[index - 1]?.dashed === true ? "dashed" : "solid"),
        fill: (_, index) => {
          const line = spec.lines[index - 1];
          const opacity = line?.fill ?? line?.area;
          return line === undefined || opacity === undefined ? "" : tint(line.color, opacity);
        },
      },
    },
    series: [
      { label: isTime ? "at" : "within", class: "where", value: (_, at) => (at === null ? "" : sayX(spec, at)) },
      ...spec.lines.map((line) => series(line, spec)),
    ],
    bands: (spec.areas ?? []).map(({ upper, lower, color: name, opacity }) => ({
      series: /** @type {[number, number]} */ ([upper + 1, lower + 1]),
      fill: tint(name, opacity),
    })),
    plugins: isTime ? [phaseBands(spec.phases, spec.wedgedAt), offScale(spec)] : spec.mark ? [xMark(spec.mark)] : [],
  };
  const data = [spec.at, ...spec.lines.map((line) => line.values)];
  return new uPlot(options, /** @type {uPlot.AlignedData} */ (/** @type {unknown} */ (data)), host);
}

/** @param {Line} line @param {Spec} spec @returns {uPlot.Series} */
function series(line, spec) {
  return {
    label: line.label,
    class: line.fill === undefined && line.area === undefined ? "line" : "area",
    stroke: color(line.color),
    width: line.width ?? 1.75,
    ...(line.dashed === true ? { dash: [6, 4] } : {}),
    ...(line.fill === undefined ? {} : { fill: tint(line.color, line.fill) }),
    points: spec.x === "time" ? pointsOf(line) : { show: false },
    spanGaps: spec.x === "log",
    value: (_, value, __, index) => {
      const said = line.said === undefined || index === null ? value : line.said[index];
      return said === null || said === undefined ? "" : spec.format(said);
    },
  };
}

/** Dots for values that stand alone. @param {Line} line @returns {uPlot.Series.Points} */
function pointsOf(line) {
  const alone = isolated(line.values);
  if (alone.length === 0) return { show: false };
  return { show: true, size: 5, fill: color(line.color), width: 0, filter: () => alone };
}

/** @returns {uPlot.Axis} */
function axisStyle() {
  return {
    stroke: color("muted"),
    font: FONT,
    grid: { stroke: color("grid"), width: 1 },
    ticks: { show: false },
    gap: 6,
  };
}

/** @param {Spec} spec @param {number} at */
function sayX(spec, at) {
  if (spec.x === "log") return duration(at);
  const phase = spec.phases.find(({ from_s, to_s }) => at >= from_s && at < to_s);
  return phase === undefined ? clock(at) : `${clock(at)}, ${phase.name}`;
}

/**
 * Says of lines that leave the chart at its top how far they go.
 * @param {Spec} spec
 * @returns {uPlot.Plugin}
 */
function offScale({ lines, y, axisFormat, format }) {
  const said = lines.flatMap((line) => {
    const most = greatest([line.values]);
    return most > y.to ? [`${line.label} up to ${(axisFormat ?? format)(most)} ↑`] : [];
  });
  return {
    hooks: {
      draw: ({ ctx, bbox }) => {
        const dpr = window.devicePixelRatio;
        ctx.save();
        ctx.font = scaledFont();
        ctx.textAlign = "left";
        ctx.textBaseline = "top";
        said.forEach((text, row) => {
          const { width } = ctx.measureText(text);
          const [x, top] = [bbox.left + bbox.width - width - 6 * dpr, bbox.top + (20 + row * 16) * dpr];
          ctx.fillStyle = color("paper");
          ctx.fillRect(x - 2 * dpr, top - 2 * dpr, width + 4 * dpr, 15 * dpr);
          ctx.fillStyle = color("muted");
          ctx.fillText(text, x, top);
        });
        ctx.restore();
      },
    },
  };
}

/**
 * A dashed line up from the x axis.
 * @param {{ at: number, label: string }} mark
 * @returns {uPlot.Plugin}
 */
function xMark({ at, label }) {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx, bbox } = plot;
        const x = plot.valToPos(at, "x", true);
        if (x < bbox.left || x > bbox.left + bbox.width) return;
        const dpr = window.devicePixelRatio;
        ctx.save();
        ctx.strokeStyle = color("floor");
        ctx.fillStyle = color("muted");
        ctx.lineWidth = 1.25 * dpr;
        ctx.setLineDash([5 * dpr, 4 * dpr]);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        ctx.font = scaledFont();
        ctx.textAlign = x > bbox.left + bbox.width / 2 ? "right" : "left";
        ctx.fillText(label, x + (x > bbox.left + bbox.width / 2 ? -6 : 6) * dpr, bbox.top + bbox.height - 8 * dpr);
        ctx.restore();
      },
    },
  };
}

/**
 * Round numbers between two: 1, 2 and 5 times the powers of ten, the powers alone where those are many, equal steps where
 * hardly one would lie between.
 * @param {number} from
 * @param {number} to
 */
function oneTwoFive(from, to) {
  const decades = Math.log10(to / from);
  if (decades < 0.7) return equalSteps(from, to);
  const steps = decades > 2.5 ? [1] : [1, 2, 5];
  const splits = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const step of steps) {
      const value = Number(`${step}e${power}`);
      if (value >= from * 0.999 && value <= to * 1.001) splits.push(value);
    }
  }
  return splits;
}

/**
 * @param {number} from
 * @param {number} to
 */
function equalSteps(from, to) {
  const least = (to - from) / 4;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10) * power;
  const splits = [];
  for (let count = Math.ceil(from / step); count * step <= to; count++)
    splits.push(Number((count * step).toPrecision(6)));
  return splits;
}
