import { createHash, timingSafeEqual } from "node:crypto";

const LONGEST_TOKEN = 4_096;
/** Longer headers are not looked at. */
const LONGEST_HEADER = LONGEST_TOKEN + 64;
const BEARER = /^bearer +([^\s]+) *$/i;

/** The admin token, of which only the digest is kept. */
export class Token {
  readonly #digest: Buffer;

  /** Throws a `RangeError` for a token that nobody could send. */
  constructor(token: string) {
    if (!/^[\x21-\x7e]+$/.test(token) || token.length > LONGEST_TOKEN) {
      throw new RangeError(`admin.token must be 1 to ${LONGEST_TOKEN} visible ASCII characters`);
    }
    this.#digest = digestOf(token);
  }

  /**
   * Whether an `Authorization` header carries it. Digests of equal length are compared, in a time that says nothing about
   * where they differ.
   */
  isIn(authorization: string | undefined): boolean {
    if (authorization === undefined || authorization.length > LONGEST_HEADER) return false;
    const credential = BEARER.exec(authorization)?.[1];
    return credential !== undefined && timingSafeEqual(digestOf(credential), this.#digest);
  }
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text, "latin1").digest();
}
