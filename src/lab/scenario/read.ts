import { basename, dirname, resolve } from "node:path";
import type { ConfigSource, FileText, Problem } from "../../config/tools.ts";
import { LARGEST_FILE, openDocument, parseText, readText, wholeFile } from "../../config/tools.ts";
import { judgeScenario, tracesIn } from "./judge.ts";
import { LARGEST_TRACE } from "./trace.ts";
import type { Scenario } from "./types.ts";

/** What became of a scenario file. `problems` holds at least one error, and the warnings too. */
export type ScenarioResult =
  | { readonly kind: "valid"; readonly scenario: Scenario; readonly warnings: readonly Problem[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

/** A scenario as text. */
export interface ScenarioSource extends Pick<ConfigSource, "file" | "text" | "env"> {
  /** The traces that it replays, by their path in the file; one that is not here is a mistake. */
  readonly traces?: ReadonlyMap<string, FileText>;
}

/**
 * Reads a scenario from text: no I/O, no clock, no exception. Every mistake is reported, in the order of the file; those in
 * traces come last. It is named after its file.
 */
export function parseScenario(source: ScenarioSource): ScenarioResult {
  const surroundings = { name: nameOf(source.file), traces: source.traces ?? new Map<string, FileText>() };
  const parsed = parseText(source, "scenario", (tree) => judgeScenario(tree, surroundings));
  return parsed.kind === "invalid" ? parsed : { kind: "valid", scenario: parsed.value, warnings: parsed.warnings };
}

/** Reads a scenario file and the traces that it names. A file that cannot be read is a problem like any other. */
export async function readScenario(path: string, env: ConfigSource["env"]): Promise<ScenarioResult> {
  const absentHint = "headgate load --list names those that are built in, headgate load init writes one to edit";
  const file = await readText(path, { kind: "scenario", limit: LARGEST_FILE, absentHint });
  if (file.kind === "refused") return { kind: "invalid", problems: [wholeFile(path, file)] };
  const source = { file: path, text: file.text, env };
  return parseScenario({ ...source, traces: await readTraces(source) });
}

async function readTraces(source: ScenarioSource): Promise<ReadonlyMap<string, FileText>> {
  const traces = new Map<string, FileText>();
  // What is too large is refused before anybody looks into it.
  const { tree, complete } = source.text.length > LARGEST_FILE ? NOTHING : openDocument(source);
  for (const trace of complete ? tracesIn(tree) : []) {
    const path = resolve(dirname(source.file), trace);
    traces.set(trace, await readText(path, { kind: "trace", limit: LARGEST_TRACE }));
  }
  return traces;
}

const NOTHING = { tree: undefined, complete: false };

function nameOf(file: string): string {
  return basename(file).replace(/\.ya?ml$/i, "");
}
