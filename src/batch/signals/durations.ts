import type { EpochMs, Ms } from "../../core/units.ts";

const UNITS: Readonly<Record<string, Ms>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const PLAIN = /^\d+(?:\.\d+)?$/;
const GO = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|μs|ms|s|m|h|d))+$/;
const GO_PART = /(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h|d)/g;

/** A number above or equal to 0 without a sign or exponent; `undefined` for anything else. */
export function readNumber(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  return PLAIN.test(trimmed) ? Number(trimmed) : undefined;
}

/** `1s`, `6m0s`, `880ms`, `1h30m`, as Go prints durations, or plain seconds. `undefined` for anything else. */
export function readDuration(text: string | undefined): Ms | undefined {
  const seconds = readNumber(text);
  if (seconds !== undefined) return seconds * 1_000;
  const trimmed = text?.trim() ?? "";
  if (!GO.test(trimmed)) return undefined;
  return [...trimmed.matchAll(GO_PART)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (UNITS[unit] ?? 0),
    0,
  );
}

/** How long until an instant that a server names, by the server's own clock where it tells it. At least 0. */
export function untilInstant(text: string | undefined, date: string | undefined, wall: EpochMs): Ms | undefined {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  if (Number.isNaN(at)) return undefined;
  const serverNow = date === undefined ? Number.NaN : Date.parse(date);
  return Math.max(0, at - (Number.isNaN(serverNow) ? wall : serverNow));
}
