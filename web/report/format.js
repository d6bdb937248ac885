// @ts-check

/** @typedef {import("../../src/lab/report/types.ts").Report} Report */
/** @typedef {import("../../src/lab/report/types.ts").Side} Side */

/**
 * `4:05`, `1:04:05`.
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/**
 * `850`, `12.5k`, `2M`.
 * @param {number} value
 */
export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return size >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toFixed(1)));
}

/**
 * For an axis: `850`, `8k`, `12.5k`.
 * @param {number} value
 */
export function compact(value) {
  return value >= 1000 && value < 1e4 ? `${Number((value / 1e3).toPrecision(3))}k` : short(value);
}

/**
 * `0.5 ms`, `35 ms`, `1.25 s`.
 * @param {number} ms
 */
export function duration(ms) {
  if (ms < 10) return `${Number(ms.toPrecision(2))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 1e6 ? `${Number((ms / 1000).toPrecision(3))} s` : `${Number((ms / 60_000).toPrecision(3))} min`;
}

/**
 * `93 %`.
 * @param {number} fraction
 */
export function percent(fraction) {
  return `${Number((fraction * 100).toFixed(fraction < 0.1 || fraction > 0.99 ? 1 : 0))}%`;
}
