import type { EpochMs } from "../core/units.ts";
import type { Environment } from "./interpolate.ts";
import { maskSecrets } from "./mask.ts";
import type { ConfigPath, Excerpt, Finding, Problem } from "./problem.ts";
import { blankInvisible, formatPath, quote } from "./show.ts";
import type { Place } from "./tree.ts";
import { buildTree, placeName } from "./tree.ts";
import type { SyntaxFault } from "./yaml-syntax.ts";
import { parseYaml } from "./yaml-syntax.ts";

/** A configuration file as text, and the environment that its references are filled from. */
export interface ConfigSource {
  /** What messages call it. */
  readonly file: string;
  readonly text: string;
  readonly env: Environment;
  /** Now, to tell which keys have expired; left out, nobody asks. */
  readonly now?: EpochMs | undefined;
}

/** A parsed file: its plain values, and the way from a finding back to the line that it is about. */
export interface ConfigDocument {
  readonly tree: unknown;
  /** Whether the tree is worth judging: not after a file that is too big or too deep. */
  readonly complete: boolean;
  /** The mistakes that are no matter of the schema: YAML, references, repeated keys. */
  readonly problems: readonly Problem[];
  /** Finds the place of each finding. Leaves out what only follows from a mistake that is in `problems` already. */
  locate(findings: readonly Finding[]): readonly Problem[];
}

/** Reads the text of a file as far as it can be read. Never throws. */
export function openDocument(source: ConfigSource): ConfigDocument {
  const parsed = parseYaml(source.text);
  const tree = buildTree(parsed.document, source.env);
  const lines = maskSecrets(source.text, tree.secrets).split("\n");
  const lineOf = (offset: number): number => parsed.lines.linePos(offset).line;
  const firstBad = parsed.faults[0] === undefined ? Infinity : lineOf(parsed.faults[0].offset);

  const problemAt = (offset: number, rest: Omit<Problem, "file" | "line" | "column" | "excerpt">): Problem => {
    const { line, col } = parsed.lines.linePos(offset);
    const excerpt = excerptOf(lines[line - 1] ?? "", col - 1);
    return { ...rest, file: source.file, line, column: col, ...(excerpt !== undefined && { excerpt }) };
  };

  const locate = (finding: Finding): Problem => {
    const place = nearest(tree.places, finding.path);
    const offset = finding.offset ?? (finding.at === "key" ? place?.key : undefined) ?? place?.value ?? 0;
    return problemAt(offset, {
      severity: finding.severity,
      path: formatPath(finding.path),
      rule: finding.rule,
      ...shown(finding, place),
    });
  };

  // From a syntax error on, nothing is where it was meant to be; and what is missing before it may be behind it.
  const isSure = ({ path, absent, offset }: Finding): boolean =>
    firstBad === Infinity || (absent !== true && lineOf(offset ?? nearest(tree.places, path)?.value ?? 0) < firstBad);
  const isNews = ({ path }: Finding): boolean => tree.places.get(placeName(path))?.usable !== false;

  return {
    tree: tree.value,
    complete: tree.complete,
    problems: [
      ...parsed.faults.map((fault) => problemAt(fault.offset, syntaxProblem(fault))),
      ...tree.findings.filter(isSure).map(locate),
    ],
    locate: (findings) => findings.filter((finding) => isSure(finding) && isNews(finding)).map(locate),
  };
}

function syntaxProblem({ rule, hint }: SyntaxFault): Pick<Problem, "severity" | "path" | "rule" | "hint"> {
  return { severity: "error", path: "", rule, ...(hint !== undefined && { hint }) };
}

/** The place of the path, or of the closest section around it: where a missing key would have to stand. */
function nearest(places: ReadonlyMap<string, Place>, path: ConfigPath): Place | undefined {
  for (let length = path.length; length >= 0; length--) {
    const place = places.get(placeName(path.slice(0, length)));
    if (place !== undefined)
      return length === path.length || place.key === undefined ? place : { ...place, value: place.key };
  }
  return undefined;
}

/** What a variable held is never shown: it may be a secret that came to the wrong place. */
function shown(finding: Finding, place: Place | undefined): Pick<Problem, "received" | "hint"> {
  const { received, hint } = finding;
  if (received !== undefined && place?.template !== undefined) {
    return { received: quote(place.template), hint: "the value comes from the environment and is not shown" };
  }
  return { ...(received !== undefined && { received }), ...(hint !== undefined && { hint }) };
}

const WIDEST = 120;

/** The line, or for a very long one what is around the column. */
function excerptOf(line: string, column: number): Excerpt | undefined {
  const text = blankInvisible(line.replace(/\r$/, ""));
  if (text.trim() === "") return undefined;
  if (text.length <= WIDEST) return { text, caret: Math.min(column, text.length) };
  const from = Math.max(0, column - WIDEST / 2);
  const end = from + WIDEST;
  const before = from > 0 ? "…" : "";
  return {
    text: `${before}${text.slice(from, end)}${end < text.length ? "…" : ""}`,
    caret: column - from + before.length,
  };
}
