/**
 * The token rule. A token is at most 6 bytes of UTF-8; a white space that follows another character starts a new token,
 * and no character is cut. An id is the token's bytes as a number, times 8, plus how many they are: every id is a safe
 * integer and turns back into its text without a vocabulary.
 */
import type { Tokens } from "../../core/units.ts";

const MAX_TOKEN_BYTES = 6;
const LENGTH_RADIX = 8;

/** How many tokens `text` is. */
export function countTokens(text: string): Tokens {
  let count = 0;
  for (let start = 0; start < text.length; start = tokenEnd(text, start)) count += 1;
  return count;
}

/** The tokens of `text`, as text. */
export function splitTokens(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    const end = tokenEnd(text, start);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

/** The id of one token. */
export function tokenId(piece: string): number {
  const bytes = Buffer.from(piece);
  return bytes.reduce((value, byte) => value * 256 + byte, 0) * LENGTH_RADIX + bytes.length;
}

/** The text that these ids stand for; `undefined` if one of them is no token's id. */
export function decodeTokens(ids: readonly number[]): string | undefined {
  const bytes: number[] = [];
  for (const id of ids) {
    const length = id % LENGTH_RADIX;
    const value = Math.floor(id / LENGTH_RADIX);
    if (!Number.isSafeInteger(id) || length < 1 || length > MAX_TOKEN_BYTES || value >= 256 ** length) return undefined;
    for (let place = length - 1; place >= 0; place--) bytes.push(Math.floor(value / 256 ** place) % 256);
  }
  return Buffer.from(bytes).toString("utf8");
}

function tokenEnd(text: string, start: number): number {
  let bytes = 0;
  let afterSpace = true;
  for (let index = start; index < text.length;) {
    const code = text.codePointAt(index) ?? 0;
    const isSpace = code <= 0x20;
    bytes += utf8Bytes(code);
    if (index > start && (bytes > MAX_TOKEN_BYTES || (isSpace && !afterSpace))) return index;
    afterSpace = isSpace;
    index += code > 0xffff ? 2 : 1;
  }
  return text.length;
}

function utf8Bytes(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
