import { hash } from "node:crypto";
import { crc32 } from "node:zlib";

/**
 * A key is `hg_live_`, 33 characters of base62 that carry 192 random bits, `_`, and the CRC-32 of all that stands in
 * front of it, in 6 characters of base62. A double click selects all of it, a scanner for leaked secrets finds it without
 * asking anybody, and a mistyped key is told from an unknown one. Source: GitHub's token format of 2021.
 *
 * 192 random bits cannot be guessed or found in a table, so that plain SHA-256 is enough to keep them.
 */
const PREFIX = "hg_live_";
const SECRET_BYTES = 24;
const SECRET_LENGTH = 33;
const CHECKSUM_LENGTH = 6;
/** 27 characters of base62 are 160 bits. */
const FORM = /^(hg_live_[0-9A-Za-z]{27,64})_([0-9A-Za-z]{6})$/;
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Makes a key. `randomBytes` gives so many bytes of chance that is fit for secrets, as `randomBytes` of `node:crypto` does. */
export function newKey(randomBytes: (size: number) => Uint8Array): string {
  let secret = 0n;
  for (const byte of randomBytes(SECRET_BYTES)) secret = secret * 256n + BigInt(byte);
  const body = PREFIX + base62(secret, SECRET_LENGTH);
  return `${body}_${checksumOf(body)}`;
}

/** Whether this has the form of a key and its checksum fits. Says nothing about whether anybody knows it. */
export function looksLikeKey(text: string): boolean {
  const [, body, checksum] = FORM.exec(text) ?? [];
  return body !== undefined && checksumOf(body) === checksum;
}

/** Whether this was meant to be a key of Headgate and is not one. */
export function isMistypedKey(text: string): boolean {
  return text.startsWith("hg_") && !looksLikeKey(text);
}

/** What is kept in place of a key: its SHA-256, 64 hexadecimal digits in lower case. */
export function digestOf(key: string): string {
  return hash("sha256", key, "hex");
}

function checksumOf(body: string): string {
  return base62(BigInt(crc32(body)), CHECKSUM_LENGTH);
}

function base62(value: bigint, length: number): string {
  let text = "";
  for (let rest = value; rest > 0n; rest /= 62n) text = (DIGITS[Number(rest % 62n)] ?? "") + text;
  return text.padStart(length, "0");
}
