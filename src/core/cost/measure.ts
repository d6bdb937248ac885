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

const BASE64 = /^[A-Za-z0-9+/_=-]+$/;
const LOOKS = 16;
const LOOK_LENGTH = 32;

/** Walks a parsed JSON value and adds up its text. Undefined if it nests deeper than `maxDepth`, some hundreds at most. */
export function measureJson(json: unknown, maxDepth: number): Measure | undefined {
  const sum = { textChars: 0, media: 0 };
  return addTo(sum, json, maxDepth) ? sum : undefined;
}

/** False: too deep. */
function addTo(sum: { textChars: number; media: number }, value: unknown, levels: number): boolean {
  if (typeof value === "string") {
    if (isMedia(value)) sum.media += 1;
    else sum.textChars += value.length;
    return levels >= 0;
  }
  if (typeof value !== "object" || value === null) return true;
  if (levels < 0) return false;
  if (!Array.isArray(value)) {
    for (const element of Object.values(value)) if (!addTo(sum, element, levels - 1)) return false;
    return true;
  }
  for (const element of value) {
    if (typeof element === "number") sum.textChars += CHARS_PER_NUMBER;
    else if (!addTo(sum, element, levels - 1)) return false;
  }
  return true;
}

/**
 * Whether a long string is base64, alone or in a data URL. It is looked at in several places, so that a text cannot hide
 * behind a beginning without spaces.
 */
export function isMedia(value: string): boolean {
  if (value.length < MEDIA_LENGTH) return false;
  const start = value.startsWith("data:") ? value.slice(0, MEDIA_LENGTH).indexOf(",") + 1 : 0;
  const step = (value.length - start - LOOK_LENGTH) / (LOOKS - 1);
  for (let look = 0; look < LOOKS; look++) {
    const at = start + Math.floor(look * step);
    if (!BASE64.test(value.slice(at, at + LOOK_LENGTH))) return false;
  }
  return true;
}
