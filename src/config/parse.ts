import type { ConfigSource } from "./document.ts";
import { openDocument } from "./document.ts";
import { judge } from "./judge.ts";
import type { ConfigResult, Problem } from "./problem.ts";
import { toResult } from "./problem.ts";

/** Bytes (or characters) that a configuration may have; the largest honest one is far below. */
export const LARGEST_FILE = 1_000_000;

/**
 * Reads a configuration from text: no I/O, no clock, no exception. Every mistake is reported, in the order of the file; what
 * only follows from another mistake is left out.
 */
export function parseConfig(source: ConfigSource): ConfigResult {
  const text = source.text.replace(/^\uFEFF/, "");
  if (text.length > LARGEST_FILE) return refuseFile(source.file, "is larger than 1MB, which no configuration is");
  const document = openDocument({ ...source, text });
  const { config, findings } = document.complete
    ? judge(document.tree, source.now)
    : { config: undefined, findings: [] };
  const problems = [...document.problems, ...document.locate(findings)];
  const broken = document.problems.length > 0;
  return toResult(broken ? undefined : config, problems.toSorted(inOrderOfTheFile));
}

/** The answer about a file that has no lines to point at. */
export function refuseFile(file: string, rule: string, hint?: string): ConfigResult {
  const problem: Problem = {
    severity: "error",
    file,
    line: 0,
    column: 0,
    path: "",
    rule,
    ...(hint !== undefined && { hint }),
  };
  return { kind: "invalid", problems: [problem] };
}

function inOrderOfTheFile(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}
