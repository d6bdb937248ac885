import type { Bytes, Ms } from "../core/units.ts";
import { formatSpan } from "../lab/report/numbers.ts";

/** `300ms`, `1.2s`, `42s`, `5m`, `1h 20m`. */
export function formatDuration(duration: Ms): string {
  if (duration < 1_000) return `${Math.round(duration)}ms`;
  if (duration < 10_000) return `${trim(duration / 1_000)}s`;
  return formatSpan(duration / 1_000);
}

/** `12,345`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** `160k`, `2M`, `512`. */
export function formatShort(count: number): string {
  if (count >= 1e6) return `${trim(count / 1e6)}M`;
  return count >= 1e3 ? `${trim(count / 1e3)}k` : String(count);
}

/** `32MB`. */
export function formatBytes(bytes: Bytes): string {
  if (bytes >= 1e9) return `${trim(bytes / 1e9)}GB`;
  if (bytes >= 1e6) return `${trim(bytes / 1e6)}MB`;
  return bytes >= 1e3 ? `${trim(bytes / 1e3)}kB` : `${bytes}B`;
}

function trim(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}

/** Where something listens, as a client writes it. */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
