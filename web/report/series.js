// @ts-check

/** @typedef {import("./format.js").Side} Side */

/** Seconds over which counts are averaged, so that chance arrivals do not hide what is going on. */
const SMOOTH_S = 20;

/**
 * Counts per step as smoothed rates per minute; never smoothed over the edge of a phase.
 * @param {readonly number[]} counts
 * @param {Side} side
 */
export function perMinute(counts, { timeline, phases, duration_s: duration }) {
  const { step_s: step, at_s: at } = timeline;
  const reach = Math.max(0, Math.round((SMOOTH_S / step - 1) / 2));
  const sums = [0];
  for (const count of counts) sums.push((sums.at(-1) ?? 0) + count);
  // A step that an edge divides belongs to where most of it lies.
  const edges = [
    0,
    ...phases.map(({ to_s: end }) => at.filter((start) => start + step / 2 < end).length),
    counts.length,
  ];
  return counts.map((_, index) => {
    // The last step is cut off where the run ended: its counts are of less time than it seems.
    if ((at[index] ?? 0) + step > duration + 0.001 && index > 0) return null;
    const first = edges.findLast((edge) => edge <= index) ?? 0;
    const last = edges.find((edge) => edge > index) ?? counts.length;
    const [from, to] = [Math.max(first, index - reach), Math.min(last, index + reach + 1)];
    return (((sums[to] ?? 0) - (sums[from] ?? 0)) * 60) / ((to - from) * step);
  });
}

/**
 * Where a value has none on either side, so that no line shows it.
 * @param {readonly (number | null)[]} values
 */
export function isolated(values) {
  return values.flatMap((value, index) =>
    value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null ? [index] : [],
  );
}

/**
 * Adds columns up, row by row.
 * @param {readonly (readonly number[])[]} columns
 * @param {number} length
 */
export function sumOf(columns, length) {
  const total = Array.from({ length }, () => 0);
  for (const column of columns) column.forEach((value, index) => (total[index] = (total[index] ?? 0) + value));
  return total;
}

/**
 * When the GPU wedged: when the last token came in or after the phase in which it did. null where it stayed well.
 * @param {Side} side
 */
export function wedgedAt(side) {
  const phase = side.phases.find(({ model }) => model?.wedged === true);
  if (phase === undefined) return null;
  const { at_s: at, step_s: step, tokens_out: tokens } = side.timeline;
  const last = tokens.findLastIndex((count) => count > 0);
  const silent = (at[last] ?? 0) + step;
  return Math.min(Math.max(phase.from_s, silent), side.duration_s);
}

/**
 * The greatest of all values.
 * @param {readonly (readonly (number | null)[])[]} columns
 */
export function greatest(columns) {
  let most = 0;
  for (const column of columns) for (const value of column) if (value !== null && value > most) most = value;
  return most;
}

/**
 * The least of all values above zero; null without one.
 * @param {readonly (readonly (number | null)[])[]} columns
 */
export function leastAboveZero(columns) {
  let least = Infinity;
  for (const column of columns)
    for (const value of column) if (value !== null && value > 0 && value < least) least = value;
  return least === Infinity ? null : least;
}
