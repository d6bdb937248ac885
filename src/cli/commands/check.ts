import { formatProblems, readConfig } from "../../config/index.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { hasColor } from "../terminal.ts";

export interface CheckOptions {
  readonly json?: boolean;
}

/** Reads a configuration file and tells everything that is wrong with it, without starting anything. */
export async function check(file: string, options: CheckOptions): Promise<ExitCode> {
  const { stdout, env } = process;
  const result = await readConfig(file, env);
  const problems = result.kind === "valid" ? result.warnings : result.problems;
  const code = result.kind === "valid" ? EXIT.ok : EXIT.usage;
  if (options.json === true) {
    stdout.write(`${JSON.stringify({ file, valid: result.kind === "valid", problems }, undefined, 2)}\n`);
    return code;
  }
  if (problems.length > 0) stdout.write(`${formatProblems(problems, { color: hasColor(stdout, env) })}\n\n`);
  const count = (severity: string): number => problems.filter((problem) => problem.severity === severity).length;
  const found = [plural(count("error"), "mistake"), plural(count("warning"), "warning")].filter((part) => part !== "");
  stdout.write(`${file}: ${found.length === 0 ? "no problems" : found.join(", ")}\n`);
  return code;
}

function plural(count: number, noun: string): string {
  return count === 0 ? "" : `${count} ${noun}${count === 1 ? "" : "s"}`;
}
