import type { Bytes } from "../../core/units.ts";

/** More than any prompt that comes as a list of tokens. */
export const MAX_ELEMENTS = 500_000;

/** Every element but the first of a list has a comma before it, so that a shorter text cannot hold too many. */
const SHORT: Bytes = MAX_ELEMENTS;

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const OPEN_OBJECT = 123;

/**
 * Whether a JSON text holds more objects, lists and elements than a request has use for, told from its bytes. To parse
 * megabytes of nothing but brackets takes seconds, in which nobody else is served. Text that is no JSON gives any answer.
 */
export function hasTooManyElements(body: Buffer): boolean {
  if (body.length <= SHORT) return false;
  let elements = 0;
  let isText = false;
  for (let index = 0; index < body.length; index++) {
    const byte = body[index] ?? 0;
    if (byte === QUOTE) isText = !isText;
    else if (isText) index += byte === BACKSLASH ? 1 : 0;
    else if (byte === COMMA || byte === OPEN_LIST || byte === OPEN_OBJECT) elements += 1;
  }
  return elements > MAX_ELEMENTS;
}
