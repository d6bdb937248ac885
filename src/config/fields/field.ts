import { z } from "zod";
import { closest } from "../suggest.ts";
import type { Range, Reading } from "../units.ts";
import { formatCount, formatDuration, formatSize, readCount, readDuration, readPercent, readSize } from "../units.ts";

/** What an editor and the reference page are told about a value: JSON Schema keywords, with `title` for people. */
type Shape = z.core.JSONSchema.BaseSchema & { readonly title: string };

/** A reference to a variable passes every pattern: the schema is held against the file before it is filled in. */
export function orVariable(pattern: string): string {
  return `^(?:${pattern})$|\\$\\{`;
}

/**
 * A value that one of our readers understands. The reader's rule becomes the message, so that a value is refused in the
 * same words in the file, on the command line and on the reference page.
 */
export function field<T>(read: (value: unknown) => Reading<T>, shape: Shape): z.ZodType<T> {
  return z
    .unknown()
    .transform((value, context): T => {
      const reading = absent(value) ?? read(value);
      if (reading.kind === "read") return reading.value;
      const params = { hint: reading.hint, absent: value === undefined || value === null };
      context.issues.push({ code: "custom", message: reading.rule, input: value, params });
      return z.NEVER;
    })
    .meta(shape);
}

/** `key:` with nothing behind it is null: nobody means a value by it. */
function absent(value: unknown): Reading<never> | undefined {
  if (value === undefined) return { kind: "refused", rule: "is missing" };
  return value === null ? { kind: "refused", rule: "is empty" } : undefined;
}

/** A bound beyond this keeps numbers exact and means nothing to anybody. */
const LARGEST_SHOWN = 1e9;

/** A count; `k` and `M` are allowed. */
export function count(range: Range): z.ZodType<number> {
  const title =
    range.max > LARGEST_SHOWN
      ? `number from ${formatCount(range.min)}`
      : `number from ${formatCount(range.min)} to ${formatCount(range.max)}`;
  const pattern = orVariable(String.raw`\d+(\.\d+)?[kM]?`);
  return field((value) => readCount(value, range), { title, type: ["integer", "string"], pattern, minimum: range.min });
}

/** A duration with its unit, in milliseconds once read. */
export function duration(range: Range): z.ZodType<number> {
  const title = `duration from ${formatDuration(range.min)} to ${formatDuration(range.max)}`;
  const pattern = orVariable(String.raw`\d+(\.\d+)? ?(ms|s|m|h)`);
  return field((value) => readDuration(value, range), { title, type: "string", pattern });
}

/** A size with its unit, in bytes once read. */
export function size(range: Range): z.ZodType<number> {
  const title = `size from ${formatSize(range.min)} to ${formatSize(range.max)}`;
  const pattern = orVariable(String.raw`\d+(\.\d+)? ?(B|[kMG]B|[KMG]iB)`);
  return field((value) => readSize(value, range), { title, type: "string", pattern });
}

/** A part of a whole, above 0; 0.8 for `80%` once read. */
export function percent(): z.ZodType<number> {
  const pattern = orVariable(String.raw`\d{1,3}(\.\d{1,6})? ?%`);
  return field(readPart, { title: "percentage above 0%, 100% at the most", type: "string", pattern });
}

/** Reads `30%`, but not `0%`. */
export function readPart(value: unknown): Reading<number> {
  const reading = readPercent(value);
  return reading.kind === "read" && reading.value === 0 ? { kind: "refused", rule: "must be above 0%" } : reading;
}

/** Reads `true` and `false`; as text too, because that is what a variable gives. */
export function readToggle(value: unknown): Reading<boolean> {
  if (value === true || value === "true") return { kind: "read", value: true };
  if (value === false || value === "false") return { kind: "read", value: false };
  const word = typeof value === "string" || typeof value === "number" ? String(value) : "";
  const yes = /^(?:yes|on|y|1)$/i.test(word);
  const no = /^(?:no|off|n|0)$/i.test(word);
  const hint = yes ? "did you mean true?" : no ? "did you mean false?" : undefined;
  return { kind: "refused", rule: "must be true or false", hint };
}

export function toggle(): z.ZodType<boolean> {
  return field(readToggle, {
    title: "true or false",
    type: ["boolean", "string"],
    pattern: orVariable("true|false"),
  });
}

/** Reads one of a few words. */
export function readWord<const W extends string>(value: unknown, words: readonly W[]): Reading<W> {
  const word = words.find((word) => word === value);
  if (word !== undefined) return { kind: "read", value: word };
  const meant = typeof value === "string" ? closest(value, words) : undefined;
  const hint = meant === undefined ? undefined : `did you mean ${meant}?`;
  return { kind: "refused", rule: `must be ${words.join(" or ")}`, hint };
}

export function choice<const W extends string>(...words: readonly [W, ...W[]]): z.ZodType<W> {
  const title = words.map((word) => `\`${word}\``).join(" or ");
  return field((value) => readWord(value, words), { title, type: "string", pattern: orVariable(words.join("|")) });
}

/** Text without a form of its own, on one line. */
export function text(what: string): z.ZodType<string> {
  return field(
    (value) =>
      typeof value === "string" && /^\S(?:[^\p{C}]{0,510}\S)?$/u.test(value)
        ? { kind: "read", value }
        : { kind: "refused", rule: `must be ${what}, on one line` },
    { title: what, type: "string", minLength: 1 },
  );
}
