import type { z } from "zod";
import type { Reading } from "../units.ts";
import { field } from "./field.ts";

const QUOTES = "put a name that looks like a number or a word of YAML in quotes";

/** Reads a name that clients may ask for. */
export function readModelName(value: unknown): Reading<string> {
  if (typeof value !== "string") return { kind: "refused", rule: "must be a model name", hint: QUOTES };
  if (value !== "*" && value.includes("*")) {
    return { kind: "refused", rule: 'must be a whole model name, or "*" alone for all the rest' };
  }
  if (/^[^\s\p{C}]{1,256}$/u.test(value)) return { kind: "read", value };
  return { kind: "refused", rule: "must be a model name of 1 to 256 characters without blanks" };
}

export function modelName(): z.ZodType<string> {
  return field(readModelName, { title: "model name", type: "string", minLength: 1, maxLength: 256 });
}

/** Reads the name of a consumer. Whether there is one of that name is a matter of the checks. */
export function readConsumerName(value: unknown): Reading<string> {
  return typeof value === "string" && value !== ""
    ? { kind: "read", value }
    : { kind: "refused", rule: "must be the name of a consumer", hint: value === "" ? undefined : QUOTES };
}

export function consumerName(): z.ZodType<string> {
  return field(readConsumerName, { title: "name of a consumer", type: "string", minLength: 1, maxLength: 64 });
}
