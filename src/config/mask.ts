import { editDistance } from "./suggest.ts";

/** A stretch of text that holds a secret: from `start` up to but not including `end`. */
export interface SecretRange {
  readonly start: number;
  readonly end: number;
}

/** Whether what stands at this key is likely a secret, however the key is spelled. */
export function isSecretKey(key: string): boolean {
  const plain = key.toLowerCase().replaceAll(/[-_ "']/g, "");
  return /apikey|(secret|access|private|auth)(key|token)|passw|secret|bearer|^keys?$|^token$|^auth(orization)?$/.test(
    plain,
  )
    ? true
    : plain.length > 4 && editDistance(plain.slice(0, 12), "apikey") <= 2;
}

// Every repetition has a bound, so that no text takes the square of its length.

/** Our own keys and those of vendors, wherever they stand. */
const KEY_SHAPES = /\b(?:(?:sk|pk|rk|nvapi|hf|gsk|xai|r8|ghp|glpat)[-_][\w-]{8,500}|hg_[a-z]{2,8}_\w{8,500})/g;
/** The user and password of a URL. */
const USERINFO = /(?<=\bhttps?:\/\/)[^\s"'@]{0,1000}(?=@)/gi;
const BEARER = /(?<=\bbearer[ \t]{1,4})[^\s"',}]+/gi;
/** A word, and what would separate it from its value, even where the colon was forgotten. */
const KEY_AND_SEPARATOR = /\b[A-Za-z_][\w-]{0,63}(?:["']?\s{0,9}[:=]\s{0,99}|["']?[ \t]{1,99})/g;
/** A value ends where the list or mapping around it goes on, or where a comment begins. */
const VALUE = /(?:(?! #)[^,}\]\n])*/y;

/**
 * Stars out secrets, one star for each character, so that every other character keeps its place. The ranges are what the
 * YAML parser knows to be secret; the shapes below them also catch what it could not parse.
 */
export function maskSecrets(text: string, ranges: readonly SecretRange[] = []): string {
  const hidden: SecretRange[] = [...ranges];
  for (const shape of [KEY_SHAPES, USERINFO, BEARER]) {
    for (const match of text.matchAll(shape)) hidden.push({ start: match.index, end: match.index + match[0].length });
  }
  let done = 0;
  for (const match of text.matchAll(KEY_AND_SEPARATOR)) {
    const word = /^[\w-]+/.exec(match[0])?.[0] ?? "";
    if (match.index < done || !isSecretKey(word)) continue;
    VALUE.lastIndex = match.index + match[0].length;
    VALUE.test(text);
    hidden.push({ start: match.index + match[0].length, end: VALUE.lastIndex });
    done = VALUE.lastIndex;
  }
  return star(text, hidden);
}

function star(text: string, ranges: readonly SecretRange[]): string {
  let result = "";
  let done = 0;
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    if (end <= done) continue;
    result += text.slice(done, Math.max(start, done)) + starred(text.slice(Math.max(start, done), end));
    done = end;
  }
  return result + text.slice(done);
}

/** Quotes and the names of variables are no secrets, and line ends keep the lines apart. */
function starred(secret: string): string {
  return secret.replaceAll(/(\$\{[A-Za-z_][A-Za-z0-9_]*)|[^\s"'${}]/g, (matched, reference: string | undefined) =>
    reference === undefined ? "*" : matched,
  );
}
