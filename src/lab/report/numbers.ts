/** What stands where a figure is unknown. */
export const UNKNOWN = "–";

/** `12,345`. */
export function formatCount(count: number | null): string {
  return count === null ? UNKNOWN : Math.round(count).toLocaleString("en-US");
}

/** `4.2ms`, `35ms`, `1.25s`, `12.5s`, `3m 20s`. */
export function formatMs(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  if (ms < 9.95) return `${trim(ms, 1)}ms`;
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  if (ms < 9_995) return `${trim(ms / 1_000, 2)}s`;
  return ms < 119_950 ? `${trim(ms / 1_000, 1)}s` : formatSpan(ms / 1_000);
}

/** `45s`, `3m`, `3m 20s`, `1h 5m`. */
export function formatSpan(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const parts =
    hours > 0 ? [`${hours}h`, minutes > 0 ? `${minutes}m` : ""] : [`${minutes}m`, rest > 0 ? `${rest}s` : ""];
  return parts.filter((part) => part !== "").join(" ");
}

/** `99.4%`. All and none are said of all and none only: 0.9999 is `99.9%`, 0.0001 is `0.1%`. */
export function formatRatio(ratio: number | null): string {
  if (ratio === null) return UNKNOWN;
  const tenths = Math.round(ratio * 1_000);
  if (tenths === 1_000 && ratio < 1) return "99.9%";
  if (tenths === 0 && ratio > 0) return "0.1%";
  return `${trim(tenths / 10, 1)}%`;
}

/** A rate to three digits: `9.52`, `35.2`, `1,234`. */
export function formatRate(rate: number | null): string {
  if (rate === null) return UNKNOWN;
  if (rate >= 99.95) return formatCount(rate);
  return trim(rate, rate >= 9.995 ? 1 : 2);
}

function trim(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return digits === 0 ? text : text.replace(/\.?0+$/, "");
}
