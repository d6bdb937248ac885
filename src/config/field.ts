import { z } from "zod";
import { readBackendUrl, readHost } from "./address.ts";
import { closest } from "./suggest.ts";
import type { Range, Reading } from "./units.ts";
import { formatCount, formatDuration, formatSize, readCount, readDuration, readSize } from "./units.ts";

/** What an editor and the reference page are told about a value: JSON Schema keywords, with `title` for people. */
type Shape = z.core.JSONSchema.BaseSchema & { readonly title: string };

/** A reference to a variable passes every pattern: the schema is held against the file before it is filled in. */
const orVariable = (pattern: string): string => `^(?:${pattern})$|\\$\\{`;

/**
 * A value that one of our readers understands. The reader's rule becomes the message, so that a value is refused in the
 * same words in the file, on the command line and on the reference page.
 */
function field<T>(read: (value: unknown) => Reading<T>, shape: Shape): z.ZodType<T> {
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

/** A count; `k` and `M` are allowed. */
export function count(range: Range): z.ZodType<number> {
  const title = `number from ${formatCount(range.min)} to ${formatCount(range.max)}`;
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

/** Reads a TCP port; no units here, `8k` is no port. */
export function readPort(value: unknown): Reading<number> {
  const port = typeof value === "number" || (typeof value === "string" && /^\d{1,5}$/.test(value)) ? Number(value) : -1;
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return { kind: "read", value: port };
  return { kind: "refused", rule: "must be a port from 0 to 65535" };
}

export function port(): z.ZodType<number> {
  const pattern = orVariable(String.raw`\d{1,5}`);
  return field(readPort, {
    title: "port from 0 to 65535",
    type: ["integer", "string"],
    pattern,
    minimum: 0,
    maximum: 65_535,
  });
}

export function host(): z.ZodType<string> {
  return field(readHost, { title: "host name or IP address", type: "string" });
}

export function backendUrl(): z.ZodType<string> {
  return field(readBackendUrl, { title: "http or https URL", type: "string", pattern: orVariable("https?://.+") });
}

/** Reads a name that clients may ask for. */
export function readModelName(value: unknown): Reading<string> {
  if (typeof value !== "string") {
    return {
      kind: "refused",
      rule: "must be a model name",
      hint: "put a name that looks like a number or a word of YAML in quotes",
    };
  }
  if (value !== "*" && value.includes("*")) {
    return { kind: "refused", rule: 'must be a whole model name, or "*" alone for all the rest' };
  }
  if (/^[^\s\p{C}]{1,256}$/u.test(value)) return { kind: "read", value };
  return { kind: "refused", rule: "must be a model name of 1 to 256 characters without blanks" };
}

export function modelName(): z.ZodType<string> {
  return field(readModelName, { title: "model name", type: "string", minLength: 1, maxLength: 256 });
}

/** A key for a backend; empty is none. Its rules never come with the value. */
export function secret(): z.ZodType<string> {
  return field(
    (value) =>
      typeof value === "string" && /^[\x21-\x7e]{0,4096}$/.test(value)
        ? { kind: "read", value }
        : {
            kind: "refused",
            rule: "must be a key of visible ASCII characters, without blanks and without the word Bearer",
          },
    { title: "text", type: "string" },
  );
}

/** `true` or `false`; as text too, because that is what a variable gives. */
export function toggle(): z.ZodType<boolean> {
  return field(
    (value) => {
      if (value === true || value === "true") return { kind: "read", value: true };
      if (value === false || value === "false") return { kind: "read", value: false };
      const word = typeof value === "string" || typeof value === "number" ? String(value) : "";
      const yes = /^(?:yes|on|y|1)$/i.test(word);
      const no = /^(?:no|off|n|0)$/i.test(word);
      const hint = yes ? "did you mean true?" : no ? "did you mean false?" : undefined;
      return { kind: "refused", rule: "must be true or false", hint };
    },
    { title: "true or false", type: ["boolean", "string"], pattern: orVariable("true|false") },
  );
}

/** One of a few words. */
export function choice<const W extends string>(...words: readonly [W, ...W[]]): z.ZodType<W> {
  const title = words.map((word) => `\`${word}\``).join(" or ");
  return field(
    (value) => {
      const word = words.find((word) => word === value);
      if (word !== undefined) return { kind: "read", value: word };
      const meant = typeof value === "string" ? closest(value, words) : undefined;
      const hint = meant === undefined ? undefined : `did you mean ${meant}?`;
      return { kind: "refused", rule: `must be ${words.join(" or ")}`, hint };
    },
    { title, type: "string", pattern: orVariable(words.join("|")) },
  );
}
