// @ts-check

/**
 * The colours of the moment, by name: those of page.css, `--served` as `served`.
 * @typedef {"ink" | "muted" | "faint" | "grid" | "band" | "paper" | "served" | "refused" | "broken" | "asked" | "floor" | "entitled" | "one" | "two" | "three" | "four"} ColorName
 */

/**
 * Reads a colour of page.css as it is now, light or dark.
 * @param {ColorName} name
 */
export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/**
 * A colour that lets through what lies behind.
 * @param {ColorName} name
 * @param {number} opacity 0 to 1
 */
export function tint(name, opacity) {
  return `color-mix(in srgb, ${color(name)} ${opacity * 100}%, transparent)`;
}

/** The font of axes and labels, in CSS pixels. */
export const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

/** The same for those who draw on a canvas, in its own pixels. */
export function scaledFont(weight = 400) {
  return `${weight} ${FONT.replace("11px", `${11 * window.devicePixelRatio}px`)}`;
}
