import type { Bytes, Ms } from "../core/units.ts";

/** What reading one value gave: the value, or the rule that it breaks. Neither text holds the value itself, `hint` may. */
export type Reading<T> =
  | { readonly kind: "read"; readonly value: T }
  | { readonly kind: "refused"; readonly rule: string; readonly hint?: string | undefined };

/** Both ends belong to the range. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

interface Scale {
  /** "a duration like 30s (units ms, s, m, h)". */
  readonly form: string;
  /** What a fraction must come out as: "a whole number of milliseconds". */
  readonly whole: string;
  readonly zero: string;
  /** How much one of each unit is. `""` where a number may stand without one. */
  readonly units: ReadonlyMap<string, number>;
  /** Lower-case spellings that people try, by the unit that they mean. */
  readonly aliases: readonly (readonly [unit: string, spellings: readonly string[]])[];
}

const KI = 1024;

const COUNT: Scale = {
  form: "a whole number like 5, 160k or 2M",
  whole: "a whole number",
  zero: "0",
  units: new Map(Object.entries({ "": 1, k: 1e3, M: 1e6 })),
  aliases: [
    ["k", ["k"]],
    ["M", ["m"]],
  ],
};

const DURATION: Scale = {
  form: "a duration like 30s (units ms, s, m, h)",
  whole: "a whole number of milliseconds",
  zero: "0s",
  units: new Map(Object.entries({ ms: 1, s: 1e3, m: 6e4, h: 36e5 })),
  aliases: [
    ["ms", ["ms", "msec", "millisecond", "milliseconds"]],
    ["s", ["", "s", "sec", "secs", "second", "seconds"]],
    ["m", ["m", "min", "mins", "minute", "minutes"]],
    ["h", ["h", "hr", "hrs", "hour", "hours"]],
  ],
};

const SIZE: Scale = {
  form: "a size like 32MB (units B, kB, MB, GB, KiB, MiB, GiB)",
  whole: "a whole number of bytes",
  zero: "0B",
  units: new Map(Object.entries({ B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: KI, MiB: KI ** 2, GiB: KI ** 3 })),
  aliases: [
    ["B", ["b"]],
    ["kB", ["k", "kb"]],
    ["MB", ["m", "mb"]],
    ["GB", ["g", "gb"]],
    ["KiB", ["ki", "kib"]],
    ["MiB", ["mi", "mib"]],
    ["GiB", ["gi", "gib"]],
  ],
};

/** Reads `5`, `"5"`, `160k`, `2M`. */
export function readCount(value: unknown, range: Range): Reading<number> {
  return read(COUNT, value, range);
}

/** Reads `500ms`, `30s`, `5m`, `1h`; `30` alone is refused, because nobody can see its unit. */
export function readDuration(value: unknown, range: Range): Reading<Ms> {
  return read(DURATION, value, range);
}

/** Reads `32MB` (millions) and `256MiB` (powers of 1024). */
export function readSize(value: unknown, range: Range): Reading<Bytes> {
  return read(SIZE, value, range);
}

/** Reads `80%` as 0.8. */
export function readPercent(value: unknown): Reading<number> {
  const text = typeof value === "string" ? value.trim() : "";
  const digits = /^(\d{1,3}(?:\.\d{1,6})?) ?%$/.exec(text)?.[1];
  if (digits !== undefined && Number(digits) <= 100) return { kind: "read", value: Number(digits) / 100 };
  return { kind: "refused", rule: "must be a percentage from 0% to 100%", hint: percentHint(value) };
}

/** `did you mean 80%?` for `80` and for `0.8`. */
function percentHint(value: unknown): string | undefined {
  const text = typeof value === "string" ? value.trim() : "";
  const number = typeof value === "number" ? value : /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN;
  const meant = number > 0 && number < 1 ? number * 100 : number;
  return meant > 0 && meant <= 100 ? `did you mean ${Number(meant.toFixed(6))}%?` : undefined;
}

/** Writes 0.8 as 80%. */
export function formatPercent(part: number): string {
  return `${Number((part * 100).toFixed(6))}%`;
}

/** Writes a count in the largest unit that divides it: 160k. */
export function formatCount(count: number): string {
  return format(COUNT, count);
}

/** Writes whole milliseconds in the largest unit that divides them: 5m. */
export function formatDuration(duration: Ms): string {
  return format(DURATION, duration);
}

/** Writes whole bytes in the unit that needs the smallest number: 256MiB. */
export function formatSize(size: Bytes): string {
  return format(SIZE, size);
}

function format(scale: Scale, amount: number): string {
  if (amount === 0) return scale.zero;
  let [unit, factor] = ["", 1];
  for (const [name, size] of scale.units) if (amount % size === 0 && size >= factor) [unit, factor] = [name, size];
  return `${amount / factor}${unit}`;
}

function read(scale: Scale, value: unknown, range: Range): Reading<number> {
  const text = typeof value === "number" || typeof value === "string" ? String(value).trim() : "";
  const parts = /^(\d{1,30})(?:\.(\d{1,9}))? ?([A-Za-z]*)$/.exec(text);
  const [, whole = "", fraction = "", unit = ""] = parts ?? [];
  const factor = scale.units.get(unit);
  if (parts === null || factor === undefined) {
    return { kind: "refused", rule: `must be ${scale.form}`, hint: respelled(scale, text) };
  }
  // Integer arithmetic: 1.005M is 1005000 and not 1004999.9999999999.
  const scaled = BigInt(whole + fraction) * BigInt(factor);
  const divisor = 10n ** BigInt(fraction.length);
  if (scaled % divisor !== 0n) return { kind: "refused", rule: `must come out as ${scale.whole}` };
  const amount = Number(scaled / divisor);
  if (amount < range.min) return { kind: "refused", rule: `must be at least ${format(scale, range.min)}` };
  if (amount > range.max) return { kind: "refused", rule: `must be at most ${format(scale, range.max)}` };
  return { kind: "read", value: amount };
}

/** `did you mean 5m?` for `5 minutes`, where the number is fine and only the unit is not. */
function respelled(scale: Scale, text: string): string | undefined {
  const [, digits, spelling] = /^(\d{1,30}(?:\.\d{1,9})?)\s*([A-Za-z]*)$/.exec(text) ?? [];
  if (digits === undefined || spelling === undefined) return undefined;
  const unit = scale.aliases.find(([, spellings]) => spellings.includes(spelling.toLowerCase()))?.[0];
  return unit === undefined ? undefined : `did you mean ${digits}${unit}?`;
}
