import type { Excerpt, Problem } from "./problem.ts";
import { escapeInvisible } from "./show.ts";

/** How problems are written. */
export interface ReportOptions {
  /** Whether the terminal shows colours. */
  readonly color: boolean;
}

/**
 * Problems for people: place, path and rule on one line, then the line of the file with a caret, then the hint. One blank
 * line between two, no line end at the end.
 */
export function formatProblems(problems: readonly Problem[], { color }: ReportOptions): string {
  const paint = color ? paintWithEscapes : paintNothing;
  return problems.map((problem) => formatProblem(problem, paint)).join("\n\n");
}

function formatProblem(problem: Problem, paint: Paint): string {
  const got = problem.received === undefined ? "" : `, got ${problem.received}`;
  const mark = problem.severity === "warning" ? "warning: " : "";
  const columns = [
    paint("place", formatPlace(problem)),
    paint("path", problem.path),
    paint(problem.severity, `${mark}${problem.rule}${got}`),
  ];
  return [
    columns.filter((column) => column !== "").join("  "),
    ...(problem.excerpt === undefined ? [] : formatExcerpt(problem.line, problem.excerpt, paint)),
    ...(problem.hint === undefined ? [] : [`  hint: ${problem.hint}`]),
  ].join("\n");
}

function formatPlace({ file, line, column }: Problem): string {
  const name = escapeInvisible(file);
  return line === 0 ? name : `${name}:${line}:${column}`;
}

function formatExcerpt(line: number, { text, caret }: Excerpt, paint: Paint): readonly string[] {
  const indent = /^ */.exec(text)?.[0].length ?? 0;
  // Most of a file is indented further than a message needs.
  const cut = Math.max(0, Math.min(indent, caret) - 2);
  const number = `${line}`.padStart(5);
  return [
    paint("excerpt", `${number} | ${text.slice(cut)}`),
    paint("excerpt", `${" ".repeat(number.length)} | ${" ".repeat(caret - cut)}^`),
  ];
}

type Part = "place" | "path" | "error" | "warning" | "excerpt";
type Paint = (part: Part, text: string) => string;

const ESCAPES = { place: "1", path: "36", error: "31", warning: "33", excerpt: "2" } as const satisfies Record<
  Part,
  string
>;

function paintWithEscapes(part: Part, text: string): string {
  return text === "" ? "" : `\u001B[${ESCAPES[part]}m${text}\u001B[0m`;
}

function paintNothing(_: Part, text: string): string {
  return text;
}
