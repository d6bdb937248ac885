import type { Config } from "./types.ts";

/** An error stops the start; a warning is legal and surprising. */
type Severity = "error" | "warning";

/** One mistake, ready to be shown. No field ever holds a secret. */
export interface Problem {
  readonly severity: Severity;
  /** The file as it was named; empty for a command line. */
  readonly file: string;
  /** From 1; 0 where there is no place in a file. */
  readonly line: number;
  /** From 1; 0 where there is no place in a file. */
  readonly column: number;
  /** `deployments.qwen3.queue.max_wait`, or the flag `--backend`; empty for the whole file. */
  readonly path: string;
  /** The rest of a sentence that begins with the path: "must be a duration like 30s". */
  readonly rule: string;
  /** The value as the file has it, quoted where it is text. */
  readonly received?: string;
  readonly hint?: string;
  readonly excerpt?: Excerpt;
}

/** The line that a problem is about, with secrets starred out. */
export interface Excerpt {
  readonly text: string;
  /** Index into `text` of the character that the problem is about. */
  readonly caret: number;
}

/** What became of a configuration. `problems` holds at least one error, and the warnings too. */
export type ConfigResult =
  | { readonly kind: "valid"; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

/** Keys and list indexes from the root of the file. */
export type ConfigPath = readonly (string | number)[];

/** A mistake that is known by its path, before anybody looked up where that is. */
export interface Finding {
  readonly severity: Severity;
  readonly path: ConfigPath;
  /** Whether the key or its value is wrong. */
  readonly at: "key" | "value";
  readonly rule: string;
  readonly received?: string | undefined;
  readonly hint?: string | undefined;
  /** True where the mistake is that something is missing or empty. */
  readonly absent?: boolean;
  /** Where it is in the text, if the path alone does not say. */
  readonly offset?: number | undefined;
}

/** What became of a file of any kind. `problems` holds at least one error, and the warnings too. */
export type Parsed<T> =
  | { readonly kind: "valid"; readonly value: T; readonly warnings: readonly Problem[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

/** Valid where no problem is an error and there is a value. */
export function toParsed<T>(value: T | undefined, problems: readonly Problem[]): Parsed<T> {
  const invalid = value === undefined || problems.some((problem) => problem.severity === "error");
  return invalid ? { kind: "invalid", problems } : { kind: "valid", value, warnings: problems };
}

/** The same for a configuration. */
export function toResult(parsed: Parsed<Config>): ConfigResult {
  return parsed.kind === "invalid" ? parsed : { kind: "valid", config: parsed.value, warnings: parsed.warnings };
}

/** A problem that has no line to point at. */
export function wholeFile(file: string, { rule, hint }: Refusal): Problem {
  const place = { severity: "error", file, line: 0, column: 0, path: "" } as const;
  return { ...place, rule, ...(hint !== undefined && { hint }) };
}

/** Why a whole file is refused. */
export interface Refusal {
  readonly rule: string;
  readonly hint?: string | undefined;
}
