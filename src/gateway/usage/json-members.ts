/** Where a member of a JSON object stands in its bytes: offsets, ends exclusive. */
export interface Member {
  readonly name: string;
  readonly nameStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/**
 * The members of the object that begins at `start` (white space allowed), as they come: a name may occur twice.
 * Undefined if no whole object stands there. Values are stepped over, not checked: for bytes that are no JSON the answer
 * may be anything, but it comes.
 */
export function membersOf(bytes: Buffer, start: number): readonly Member[] | undefined {
  const members: Member[] = [];
  let at = skipSpace(bytes, start);
  if (bytes[at] !== OPEN_OBJECT) return undefined;
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_OBJECT) return members;
  for (;;) {
    const nameStart = at;
    const nameEnd = stringEnd(bytes, nameStart);
    const name = nameEnd === undefined ? undefined : textOf(bytes.subarray(nameStart, nameEnd));
    if (nameEnd === undefined || name === undefined) return undefined;
    at = skipSpace(bytes, nameEnd);
    if (bytes[at] !== COLON) return undefined;
    const valueStart = skipSpace(bytes, at + 1);
    const valueEnd = endOfValue(bytes, valueStart);
    if (valueEnd === undefined) return undefined;
    members.push({ name, nameStart, valueStart, valueEnd });
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] === CLOSE_OBJECT) return members;
    if (bytes[at] !== COMMA) return undefined;
    at = skipSpace(bytes, at + 1);
  }
}

/**
 * Whether behind the value that ends at `valueEnd` come at most more members, the end of their object, and white space to
 * the end of the bytes: then the object is the outermost.
 */
export function closesOutermost(bytes: Buffer, valueEnd: number): boolean {
  let at = skipSpace(bytes, valueEnd);
  while (bytes[at] === COMMA) {
    const nameEnd = stringEnd(bytes, skipSpace(bytes, at + 1));
    const colon = nameEnd === undefined ? -1 : skipSpace(bytes, nameEnd);
    const end = bytes[colon] === COLON ? endOfValue(bytes, skipSpace(bytes, colon + 1)) : undefined;
    if (end === undefined) return false;
    at = skipSpace(bytes, end);
  }
  return bytes[at] === CLOSE_OBJECT && skipSpace(bytes, at + 1) === bytes.length;
}

/** The last member of that name, which is the one that parsers keep. */
export function lastMember(members: readonly Member[], name: string): Member | undefined {
  return members.findLast((member) => member.name === name);
}

/** Whether a member's value is exactly this word, such as `true`. */
export function isWord(bytes: Buffer, member: Member | undefined, word: string): boolean {
  if (member === undefined || member.valueEnd - member.valueStart !== word.length) return false;
  return bytes.toString("latin1", member.valueStart, member.valueEnd) === word;
}

/** Whether a member's value is an object. */
export function isObject(bytes: Buffer, member: Member | undefined): boolean {
  return member !== undefined && bytes[member.valueStart] === OPEN_OBJECT;
}

/** Whether a member's value is a list without elements. */
export function isEmptyList(bytes: Buffer, member: Member | undefined): boolean {
  if (member === undefined || bytes[member.valueStart] !== OPEN_LIST) return false;
  return skipSpace(bytes, member.valueStart + 1) === member.valueEnd - 1;
}

export function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  for (let byte = bytes[at]; byte === 32 || byte === 10 || byte === 13 || byte === 9; byte = bytes[at]) at += 1;
  return at;
}

/** Behind the value that begins at `start`. Undefined if it does not end. */
export function endOfValue(bytes: Buffer, start: number): number | undefined {
  const first = bytes[start];
  if (first === QUOTE) return stringEnd(bytes, start);
  return first === OPEN_OBJECT || first === OPEN_LIST ? nestedEnd(bytes, start) : wordEnd(bytes, start);
}

function wordEnd(bytes: Buffer, start: number): number | undefined {
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte <= 32 || byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST)
      return at > start ? at : undefined;
  }
  return undefined;
}

function nestedEnd(bytes: Buffer, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const end = stringEnd(bytes, at);
      if (end === undefined) return undefined;
      at = end - 1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth += 1;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

/** Behind the closing quote. Long texts without escapes, such as pictures, are crossed by the native search. */
function stringEnd(bytes: Buffer, start: number): number | undefined {
  if (bytes[start] !== QUOTE) return undefined;
  const quote = bytes.indexOf(QUOTE, start + 1);
  if (quote === -1) return undefined;
  if (bytes[quote - 1] !== BACKSLASH) return quote + 1;
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) return at + 1;
  }
  return undefined;
}

/** A string with its quotes, as text. Undefined if it is none. */
function textOf(quoted: Buffer): string | undefined {
  if (!quoted.includes(BACKSLASH)) return quoted.toString("utf8", 1, quoted.length - 1);
  try {
    const text: unknown = JSON.parse(quoted.toString("utf8"));
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}
