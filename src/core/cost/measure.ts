/** What a request's JSON contains, as far as its cost goes. */
export interface Measure {
  /** Characters in all strings that are text. */
  readonly textChars: number;
  /** Images, audio and files given inline. They are never counted as text. */
  readonly media: number;
}

/** A number in an array is a token of a prompt that came tokenized, and counts as the text of one token. */
const CHARS_PER_NUMBER = 4;

/** Inline media is long; a shorter string in the same place is text or a link. */
const MEDIA_LENGTH = 512;

/**
 * Walks a parsed JSON value without recursion and adds up its text. Undefined if it nests deeper than `maxDepth`.
 */
export function measureJson(json: unknown, maxDepth: number): Measure | undefined {
  let textChars = 0;
  let media = 0;
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return undefined;
    const below: unknown[] = [];
    for (const value of level) {
      if (typeof value === "string") {
        if (isMedia(value)) media += 1;
        else textChars += value.length;
      } else if (Array.isArray(value)) {
        for (const element of value) {
          if (typeof element === "number") textChars += CHARS_PER_NUMBER;
          else if (counts(element)) below.push(element);
        }
      } else if (typeof value === "object" && value !== null) {
        for (const element of Object.values(value)) if (counts(element)) below.push(element);
      }
    }
    level = below;
  }
  return { textChars, media };
}

function counts(value: unknown): boolean {
  return typeof value === "string" || (typeof value === "object" && value !== null);
}

/** A data URL, or base64 on its own: long, and without a space in its beginning. */
function isMedia(value: string): boolean {
  if (value.length < MEDIA_LENGTH) return false;
  return value.startsWith("data:") || /^[A-Za-z0-9+/_-]+$/.test(value.slice(0, MEDIA_LENGTH));
}
