import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { diffReports, formatDiff, parseReport } from "../../lab/report/diff/index.ts";
import type { Report } from "../../lab/report/types.ts";
import { CommandError, EXIT, type ExitCode } from "../exit.ts";
import { hasColor, paletteFor } from "../terminal.ts";

/** Tells what is different between two reports: `report.json`, or the folders that they are in. */
export function diffRuns(before: string, after: string, { json = false }: { readonly json?: boolean }): ExitCode {
  const diff = diffReports(read(before), read(after));
  const { stdout, env } = process;
  stdout.write(`${json ? JSON.stringify(diff, undefined, 2) : formatDiff(diff, paletteFor(hasColor(stdout, env)))}\n`);
  return EXIT.ok;
}

function read(path: string): Report {
  const file = isFolder(path) ? join(path, "report.json") : path;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${path} is no report: ${why}; headgate load SCENARIO --report DIR writes one`, EXIT.usage);
  }
  const result = parseReport(text);
  if (result.kind === "parsed") return result.report;
  throw new CommandError(`${file} ${result.rule}`, EXIT.usage);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
