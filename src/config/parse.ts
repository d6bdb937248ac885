import type { ConfigSource } from "./document.ts";
import { openDocument } from "./document.ts";
import { judge } from "./judge.ts";
import type { ConfigResult, Finding, Parsed, Problem } from "./problem.ts";
import { toParsed, toResult, wholeFile } from "./problem.ts";

/** Bytes (or characters) that a configuration may have; the largest honest one is far below. */
export const LARGEST_FILE = 1_000_000;

/**
 * Reads a configuration from text: no I/O, no clock, no exception. Every mistake is reported, in the order of the file; what
 * only follows from another mistake is left out.
 */
export function parseConfig(source: ConfigSource): ConfigResult {
  const parsed = parseText(source, "configuration", (tree) => {
    const { config, findings } = judge(tree, source.now);
    return { value: config, findings };
  });
  return toResult(parsed);
}

/** What a plain tree comes to. */
export interface Verdict<T> {
  readonly value: T | undefined;
  readonly findings: readonly Finding[];
  /** Problems in other files that this one names. */
  readonly elsewhere?: readonly Problem[];
}

/** Reads a file of any kind from text, as `parseConfig` does. `kind` is what a file of its kind is called. */
export function parseText<T>(source: ConfigSource, kind: string, judge: (tree: unknown) => Verdict<T>): Parsed<T> {
  const text = source.text.replace(/^\uFEFF/, "");
  if (text.length > LARGEST_FILE) {
    return { kind: "invalid", problems: [wholeFile(source.file, { rule: tooLarge(LARGEST_FILE, kind) })] };
  }
  const document = openDocument({ ...source, text });
  const {
    value,
    findings,
    elsewhere = [],
  }: Verdict<T> = document.complete ? judge(document.tree) : { value: undefined, findings: [] };
  const problems = [...document.problems, ...document.locate(findings)].toSorted(inOrderOfTheFile);
  return toParsed(document.problems.length > 0 ? undefined : value, [...problems, ...elsewhere]);
}

/** The rule that a file of more than so many bytes breaks. */
export function tooLarge(bytes: number, kind: string): string {
  return `is larger than ${bytes / 1e6}MB, which no ${kind} is`;
}

function inOrderOfTheFile(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}
