// @ts-check
import { color, scaledFont, tint } from "./theme.js";

/**
 * A stretch of a time chart with its name.
 * @typedef {{ name: string, from_s: number, to_s: number }} Span
 */

/** Room above a time chart for two lines of text. */
export const LABEL_ROOM = 30;
const LINE = 12;

/**
 * Draws phases as bands behind a time chart, their names above it, and where the GPU wedged.
 * @param {readonly Span[]} phases
 * @param {number | null} wedgedAt seconds
 * @returns {uPlot.Plugin}
 */
export function phaseBands(phases, wedgedAt) {
  return {
    hooks: {
      drawClear: (plot) => {
        drawBands(plot, phases);
        if (wedgedAt !== null) drawWedge(plot, wedgedAt);
      },
      draw: (plot) => {
        drawNames(plot, phases);
        if (wedgedAt !== null) nameWedge(plot, wedgedAt);
      },
    },
  };
}

/** @param {uPlot} plot @param {readonly Span[]} phases */
function drawBands(plot, phases) {
  const { ctx, bbox } = plot;
  ctx.save();
  phases.forEach((phase, index) => {
    const { from, to } = pixels(plot, phase);
    ctx.fillStyle = color("band");
    if (index % 2 === 0) ctx.fillRect(from, bbox.top, to - from, bbox.height);
  });
  ctx.restore();
}

/** @param {uPlot} plot @param {number} wedgedAt */
function drawWedge(plot, wedgedAt) {
  const { ctx, bbox } = plot;
  const from = Math.max(bbox.left, plot.valToPos(wedgedAt, "x", true));
  ctx.save();
  ctx.fillStyle = tint("broken", 0.16);
  ctx.fillRect(from, bbox.top, bbox.left + bbox.width - from, bbox.height);
  ctx.strokeStyle = color("broken");
  ctx.lineWidth = ratio() * 1.5;
  ctx.beginPath();
  ctx.moveTo(from, bbox.top);
  ctx.lineTo(from, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

/** @param {uPlot} plot @param {number} wedgedAt */
function nameWedge(plot, wedgedAt) {
  const { ctx, bbox } = plot;
  const dpr = ratio();
  ctx.save();
  ctx.font = scaledFont(600);
  ctx.textBaseline = "top";
  const text = "GPU wedged";
  const from = plot.valToPos(wedgedAt, "x", true) + 5 * dpr;
  const width = ctx.measureText(text).width;
  const left = from + width < bbox.left + bbox.width ? from : from - width - 10 * dpr;
  // A ground of its own: lines may run there.
  ctx.textAlign = "left";
  ctx.fillStyle = color("paper");
  ctx.fillRect(left - 2 * dpr, bbox.top + 2 * dpr, width + 4 * dpr, 15 * dpr);
  ctx.fillStyle = color("broken");
  ctx.fillText(text, left, bbox.top + 4 * dpr);
  ctx.restore();
}

/** @param {uPlot} plot @param {readonly Span[]} phases */
function drawNames(plot, phases) {
  const { ctx, bbox } = plot;
  const dpr = ratio();
  ctx.save();
  ctx.font = scaledFont();
  ctx.fillStyle = color("muted");
  ctx.textAlign = "center";
  ctx.textBaseline = "alphabetic";
  const spans = phases.map((phase) => pixels(plot, phase));
  const names = phases.map((phase, index) =>
    fit(ctx, phase.name, (spans[index]?.to ?? 0) - (spans[index]?.from ?? 0) - 6 * dpr),
  );
  // Either every phase has room for its name or all are numbered, as the tables number them.
  const numbered = names.some((lines) => lines === null);
  spans.forEach(({ from, to }, index) => {
    const lines = numbered ? [String(index + 1)] : (names[index] ?? []);
    if (numbered && ctx.measureText(String(index + 1)).width > to - from) return;
    lines.forEach((line, row) => {
      ctx.fillText(line, (from + to) / 2, bbox.top - (6 + (lines.length - 1 - row) * LINE) * dpr);
    });
  });
  ctx.restore();
}

/**
 * A name in one line or two; null where it does not fit.
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} name
 * @param {number} width
 */
function fit(ctx, name, width) {
  /** @param {string} text */
  const fits = (text) => ctx.measureText(text).width <= width;
  if (fits(name)) return [name];
  const words = name.split(/[\s_-]+/);
  for (let cut = 1; cut < words.length; cut++) {
    const lines = [words.slice(0, cut).join(" "), words.slice(cut).join(" ")];
    if (lines.every(fits)) return lines;
  }
  return null;
}

/** @param {uPlot} plot @param {Span} span */
function pixels(plot, span) {
  const { left, width } = plot.bbox;
  /** @param {number} at */
  const inside = (at) => Math.min(left + width, Math.max(left, plot.valToPos(at, "x", true)));
  return { from: inside(span.from_s), to: inside(span.to_s) };
}

function ratio() {
  return window.devicePixelRatio;
}
