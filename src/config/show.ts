import { isSecretKey, maskSecrets } from "./mask.ts";
import type { ConfigPath } from "./problem.ts";

const LONGEST = 60;

/** `deployments["gpt-4.1"].backends[0]`: keys that would be read wrongly get quotes. */
export function formatPath(path: ConfigPath): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : formatKey(part, index === 0))).join("");
}

function formatKey(key: string, first: boolean): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(key)) return `[${quote(key)}]`;
  return first ? key : `.${key}`;
}

/** How a message shows a value: short, quoted where it is text, and not at all where it may be a secret. */
export function showValue(path: ConfigPath, value: unknown): string | undefined {
  if (path.some((part) => typeof part === "string" && isSecretKey(part))) return undefined;
  if (typeof value === "string") return quote(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "object" || value === null) return undefined;
  return Array.isArray(value) ? "a list" : "a mapping";
}

/** Text from outside in double quotes, without secrets and without anything that moves a terminal's cursor. */
export function quote(text: string): string {
  const masked = maskSecrets(text);
  return `"${escapeInvisible(masked.length > LONGEST ? `${masked.slice(0, LONGEST)}…` : masked)}"`;
}

/** Text from outside with everything invisible spelled out. */
export function escapeInvisible(text: string): string {
  return text.replaceAll(INVISIBLE, (character) =>
    character === "\n" ? "\\n" : character === "\t" ? "\\t" : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** The same number of UTF-16 units, so that a caret below still points at the right one. */
export function blankInvisible(text: string): string {
  return text.replaceAll("\t", " ").replaceAll(INVISIBLE, (character) => "\uFFFD".repeat(character.length));
}

/** Control, format and private characters, lone surrogates, and the separators that some terminals break lines at. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
