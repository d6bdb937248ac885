import type { z } from "zod";
import type { Range, Reading } from "../../../config/tools.ts";
import { choice, count, field, orVariable, readCount, readDuration } from "../../../config/tools.ts";
import type { Ms } from "../../../core/units.ts";
import type { PresetName } from "../../model/presets.ts";
import { PRESET_NAMES } from "../../model/presets.ts";

const DAY: Ms = 24 * 3_600_000;
/** What a load test may wait for, in any way. */
export const TIME: Range = { min: 1, max: DAY };
export const MOST_TOKENS = 1_000_000;
const MOST_PER_MINUTE = 10_000_000;

const MS_PER_UNIT: ReadonlyMap<string, number> = new Map(Object.entries({ s: 1_000, m: 60_000, h: 3_600_000 }));
const RATE_RULE = "must be a rate like 150/m (units /s, /m, /h)";

/** Reads `150/m`, `10/s` and `0.5/h` as requests per minute. */
export function readRate(value: unknown): Reading<number> {
  const text = typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
  const [, digits, unit = ""] = /^(\d{1,9}(?:\.\d{1,6})?) ?\/ ?([a-z]*)$/i.exec(text) ?? [];
  const scale = MS_PER_UNIT.get(unit);
  if (digits === undefined || scale === undefined) return { kind: "refused", rule: RATE_RULE, hint: rateHint(text) };
  const perMinute = (Number(digits) * 60_000) / scale;
  if (perMinute > 0 && perMinute <= MOST_PER_MINUTE) return { kind: "read", value: perMinute };
  return { kind: "refused", rule: `must be above 0/m, and ${MOST_PER_MINUTE}/m at the most` };
}

/** `did you mean 10/s?` for `10 per second`, `10rps` and `10/sec`; a bare number can be anything, and is mostly per minute. */
function rateHint(text: string): string | undefined {
  const [, digits, rest = ""] = /^(\d{1,9}(?:\.\d{1,6})?)\s*(.*)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const word = rest.toLowerCase().replace(/^(?:\/|per|r(?:equests)?(?: ?\/ ?| ?p(?:er)?))\s*/, "");
  const unit = word === "" ? "m" : /^[smh]/.exec(word)?.[0];
  return unit === undefined ? undefined : `did you mean ${digits}/${unit}?`;
}

export function rate(): z.ZodType<number> {
  const pattern = orVariable(String.raw`\d+(\.\d+)? ?/ ?[smh]`);
  return field(readRate, { title: "rate like `150/m` (units `/s`, `/m`, `/h`)", type: "string", pattern });
}

/** From one time to another; both the same where only one is written. */
export interface Span {
  readonly from: Ms;
  readonly to: Ms;
}

/** Reads `100ms..2s`, and `100ms` alone. */
export function readSpan(value: unknown): Reading<Span> {
  const rule = "must be a duration like 100ms, or two like 100ms..2s";
  const [first, last, ...more] = typeof value === "string" ? value.split("..") : [];
  const [from, to] = [readDuration(first?.trim(), TIME), readDuration((last ?? first)?.trim(), TIME)];
  if (from.kind === "refused" || to.kind === "refused" || more.length > 0) return { kind: "refused", rule };
  if (from.value > to.value) return { kind: "refused", rule: "must not end before it begins" };
  return { kind: "read", value: { from: from.value, to: to.value } };
}

export function span(): z.ZodType<Span> {
  const one = String.raw`\d+(\.\d+)? ?(ms|s|m|h)`;
  const pattern = orVariable(String.raw`${one}( ?\.\. ?${one})?`);
  return field(readSpan, { title: "duration, or two like `100ms..2s`", type: "string", pattern });
}

/** Reads a plain number with a fraction, as text too, because that is what a variable gives. */
function readDecimal(value: unknown, { min, max }: Range): Reading<number> {
  const isNumber = typeof value === "number" || (typeof value === "string" && /^\d{1,9}(?:\.\d{1,9})?$/.test(value));
  const number = isNumber ? Number(value) : Number.NaN;
  return number >= min && number <= max
    ? { kind: "read", value: number }
    : { kind: "refused", rule: `must be a number from ${min} to ${max}` };
}

export function decimal(range: Range): z.ZodType<number> {
  const title = `number from ${range.min} to ${range.max}`;
  const pattern = orVariable(String.raw`\d+(\.\d+)?`);
  return field((value) => readDecimal(value, range), { title, type: ["number", "string"], pattern });
}

/** Reads a word that takes something away that a wider section has given. */
function readNone(value: unknown): Reading<"none"> {
  return value === "none" ? { kind: "read", value } : { kind: "refused", rule: "must be none" };
}

export function none(): z.ZodType<"none"> {
  return field(readNone, { title: "`none`", type: "string", pattern: orVariable("none") });
}

/** Reads how long a client waits: `forever`, or a duration. */
export function readPatience(value: unknown): Reading<Ms> {
  if (value === "forever") return { kind: "read", value: Infinity };
  const reading = readDuration(value, TIME);
  if (reading.kind === "read") return reading;
  return {
    ...reading,
    rule: reading.rule.replace("must be a duration like 30s", "must be forever, or a duration like 30s"),
  };
}

export function patience(): z.ZodType<Ms> {
  const pattern = orVariable(String.raw`forever|\d+(\.\d+)? ?(ms|s|m|h)`);
  return field(readPatience, { title: "duration, or `forever`", type: "string", pattern });
}

const LONGEST_PROSE = 500;

/** Reads text of one or more lines as one. */
function readProse(value: unknown): Reading<string> {
  const words = typeof value === "string" ? value.trim().replaceAll(/\s+/g, " ") : "";
  return words !== "" && words.length <= LONGEST_PROSE && !/\p{C}/u.test(words)
    ? { kind: "read", value: words }
    : { kind: "refused", rule: `must be text of 1 to ${LONGEST_PROSE} characters` };
}

export function prose(): z.ZodType<string> {
  return field(readProse, { title: "text", type: "string", minLength: 1 });
}

export function tokens(): z.ZodType<number> {
  return count({ min: 1, max: MOST_TOKENS });
}

export function preset(): z.ZodType<PresetName> {
  const [first = "instant", ...rest] = PRESET_NAMES;
  return choice(first, ...rest);
}

/** Reads one length. */
export function readCountOfTokens(value: unknown): Reading<number> {
  return readCount(value, { min: 1, max: MOST_TOKENS });
}
