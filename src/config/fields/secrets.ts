import { z } from "zod";
import type { EpochMs } from "../../core/units.ts";
import type { Reading } from "../units.ts";
import { field, orVariable } from "./field.ts";

// None of these rules and hints holds the value: it may be the key itself.

/** A key for a backend; empty is none. */
export function secret(): z.ZodType<string> {
  const rule = "must be a key of visible ASCII characters, without blanks and without the word Bearer";
  return field((value) => (isVisible(value) ? { kind: "read", value } : { kind: "refused", rule }), {
    title: "text",
    type: "string",
  });
}

/** The token of the admin listener; empty is none. */
export function token(): z.ZodType<string> {
  const rule = "must be 16 visible ASCII characters or more, without blanks";
  return field(
    (value) =>
      isVisible(value) && (value === "" || value.length >= 16) ? { kind: "read", value } : { kind: "refused", rule },
    { title: "text of 16 characters or more", type: "string" },
  );
}

function isVisible(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{0,4096}$/.test(value);
}

const HEX = /^[0-9a-f]{64}$/i;
const NOT_A_DIGEST =
  "headgate keys new NAME makes a key and prints this line; headgate keys hash prints it for a key that there is";

/** Reads `sha256:` and 64 hexadecimal digits; the digits alone, in lower case, once read. */
export function readDigest(value: unknown): Reading<string> {
  const text = typeof value === "string" ? value.trim() : "";
  const [, digits = ""] = /^sha256:(.*)$/i.exec(text) ?? [];
  if (HEX.test(digits)) return { kind: "read", value: digits.toLowerCase() };
  const rule = "must be sha256: and the 64 hexadecimal digits of the key's SHA-256, never the key itself";
  return { kind: "refused", rule, hint: HEX.test(text) ? "put sha256: in front of the digits" : NOT_A_DIGEST };
}

/** Reads the 64 digits where the key `sha256` says already what they are. */
export function readDigits(value: unknown): Reading<string> {
  const text = typeof value === "string" ? value.trim() : "";
  if (HEX.test(text)) return { kind: "read", value: text.toLowerCase() };
  const rule = "must be the 64 hexadecimal digits of the key's SHA-256, never the key itself";
  return {
    kind: "refused",
    rule,
    hint: readDigest(value).kind === "read" ? "leave the second sha256: out" : NOT_A_DIGEST,
  };
}

export function digest(): z.ZodType<string> {
  const pattern = orVariable("sha256:[0-9A-Fa-f]{64}");
  return field(readDigest, { title: "digest of a key, `sha256:…`", type: "string", pattern });
}

export function digits(): z.ZodType<string> {
  return field(readDigits, { title: "64 hexadecimal digits", type: "string", pattern: orVariable("[0-9A-Fa-f]{64}") });
}

/** Reads `2027-01-31`, its first moment in UTC, or `2027-01-31T12:00:00Z`. */
export function readInstant(value: unknown): Reading<EpochMs> {
  const text = typeof value === "string" ? value.trim() : "";
  if (z.iso.date().safeParse(text).success || z.iso.datetime({ offset: true }).safeParse(text).success) {
    return { kind: "read", value: Date.parse(text) };
  }
  return { kind: "refused", rule: "must be a date like 2027-01-31, or a time like 2027-01-31T12:00:00Z" };
}

export function instant(): z.ZodType<EpochMs> {
  const pattern = orVariable(String.raw`\d{4}-\d\d-\d\d([Tt].+)?`);
  return field(readInstant, { title: "date, or date and time with its zone", type: "string", pattern });
}
