import {
  type Change,
  type ConfigResult,
  diffConfigs,
  formatProblems,
  formatSummary,
  type Problem,
  readConfig,
  summarize,
} from "../../config/index.ts";
import { SILENT_LOG } from "../../contracts/log.ts";
import { systemClock } from "../../engine/clock.ts";
import { Authenticator } from "../../gateway/auth/index.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { hasColor } from "../terminal.ts";

export interface CheckOptions {
  readonly json?: boolean;
  /** The file that it is compared with. */
  readonly diff?: string;
}

/** Reads a configuration file and tells everything that is wrong with it, without starting anything. */
export async function check(file: string, options: CheckOptions): Promise<ExitCode> {
  const result = await read(file);
  if (options.diff !== undefined)
    return compare({ file: options.diff, result: await read(options.diff) }, { file, result }, options);
  const problems = problemsOf(result);
  const summary = result.kind === "valid" ? summarize(result.config) : undefined;
  if (options.json === true) printJson({ file, valid: result.kind === "valid", problems, summary });
  else {
    printProblems(problems);
    if (summary !== undefined) process.stdout.write(`${formatSummary(summary)}\n\n`);
    process.stdout.write(`${file}: ${countProblems(problems)}\n`);
  }
  return result.kind === "valid" ? EXIT.ok : EXIT.usage;
}

interface ReadFile {
  readonly file: string;
  readonly result: ConfigResult;
}

/** Tells what would change if the new file took the place of the old one. */
function compare(old: ReadFile, next: ReadFile, { json = false }: CheckOptions): ExitCode {
  const valid = old.result.kind === "valid" && next.result.kind === "valid";
  // What is wrong in an old file that is valid is no news.
  const problems = [...(old.result.kind === "valid" ? [] : old.result.problems), ...problemsOf(next.result)];
  const changes =
    old.result.kind === "valid" && next.result.kind === "valid"
      ? diffConfigs(old.result.config, next.result.config)
      : [];
  if (json) {
    const written = changes.map(({ path, text, needsRestart }) => ({ path, text, needs_restart: needsRestart }));
    printJson({ old: old.file, new: next.file, valid, problems, changes: valid ? written : undefined });
    return valid ? EXIT.ok : EXIT.usage;
  }
  printProblems(problems);
  for (const { text, needsRestart } of changes)
    process.stdout.write(`${text}${needsRestart ? ": needs a restart" : ""}\n`);
  const line = valid ? countChanges(changes) : countProblems(problems);
  process.stdout.write(`${changes.length > 0 ? "\n" : ""}${old.file} → ${next.file}: ${line}\n`);
  return valid ? EXIT.ok : EXIT.usage;
}

async function read(file: string): Promise<ConfigResult> {
  const result = await readConfig(file, process.env, systemClock.wall());
  if (result.kind === "invalid" || result.config.jwt === undefined) return result;
  try {
    // The file of an issuer's keys, which no rule of this file sees.
    void new Authenticator(result.config, systemClock, SILENT_LOG);
    return result;
  } catch (error) {
    const rule = error instanceof Error ? error.message : String(error);
    const problem: Problem = { severity: "error", file, line: 0, column: 0, path: "jwt.jwks", rule };
    return { kind: "invalid", problems: [...result.warnings, problem] };
  }
}

function problemsOf(result: ConfigResult): readonly Problem[] {
  return result.kind === "valid" ? result.warnings : result.problems;
}

function printProblems(problems: readonly Problem[]): void {
  const { stdout, env } = process;
  if (problems.length > 0) stdout.write(`${formatProblems(problems, { color: hasColor(stdout, env) })}\n\n`);
}

function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

function countProblems(problems: readonly Problem[]): string {
  const count = (severity: string): number => problems.filter((problem) => problem.severity === severity).length;
  const found = [plural(count("error"), "mistake"), plural(count("warning"), "warning")].filter((part) => part !== "");
  return found.length === 0 ? "no problems" : found.join(", ");
}

function countChanges(changes: readonly Change[]): string {
  const restarts = changes.filter(({ needsRestart }) => needsRestart).length;
  if (changes.length === 0) return "no changes";
  const waiting = restarts === 0 ? "" : `, ${restarts} of them only after a restart`;
  return `${plural(changes.length, "change")}${waiting}`;
}

function plural(count: number, noun: string): string {
  return count === 0 ? "" : `${count} ${noun}${count === 1 ? "" : "s"}`;
}
