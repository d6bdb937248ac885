import type { FileText, Finding, Problem, Verdict } from "../../config/tools.ts";
import { error, quote, toFindings, valueAt } from "../../config/tools.ts";
import { buildScenario } from "./build.ts";
import { checkAssertions } from "./checks/assertions.ts";
import { checkSections } from "./checks/behaviour.ts";
import { checkConsumers } from "./checks/consumers.ts";
import { checkPhases } from "./checks/phases.ts";
import type { Member } from "./gate-tree.ts";
import { judgeGates } from "./gates.ts";
import { SCENARIO_GUIDE } from "./guide.ts";
import { readDraft } from "./schema/file.ts";
import { readTrace } from "./trace.ts";
import type { Scenario, TracedRequest } from "./types.ts";
import { type ScenarioView, type Seen, viewOf } from "./view.ts";

/** What a scenario needs beside its own text. */
export interface Surroundings {
  readonly name: string;
  /** Traces by their path in the file. */
  readonly traces: ReadonlyMap<string, FileText>;
}

/** Holds a plain tree against the schema, the checks between keys and the rules of the gate. */
export function judgeScenario(tree: unknown, { name, traces }: Surroundings): Verdict<Scenario> {
  const reading = readDraft(tree);
  const view = viewOf(tree);
  const members = membersIn(view);
  const gates = judgeGates(view, members);
  const replays = readTraces(view, traces);
  const findings = [
    ...(reading.success ? [] : toFindings({ tree, guide: SCENARIO_GUIDE }, reading.error.issues)),
    ...checkConsumers(view),
    ...checkSections(view),
    ...checkPhases(view),
    ...checkAssertions(view, gates.inForce),
    ...gates.findings,
    ...replays.findings,
  ];
  const broken = replays.problems.length > 0 || findings.some(({ severity }) => severity === "error");
  const value =
    reading.success && !broken
      ? buildScenario({ name, draft: reading.data, members, gates, traces: replays.traces })
      : undefined;
  return { value, findings, elsewhere: replays.problems };
}

/** The paths of all traces that a scenario replays, as the file has them. */
export function tracesIn(tree: unknown): readonly string[] {
  return [...new Set(replaysIn(viewOf(tree)).map(({ value }) => value))];
}

function membersIn({ tree, consumers }: ScenarioView): readonly Member[] {
  return [...(consumers?.values() ?? [])].flatMap(({ name: family, path, members }) =>
    members.map((name): Member => {
      const key = valueAt(tree, [...path, "key"]);
      return { name, family, key: typeof key === "string" && key !== "" ? key : `lab-${name}` };
    }),
  );
}

function replaysIn({ tree, phases }: ScenarioView): readonly Seen<string>[] {
  return phases.flatMap(({ loads }) =>
    loads.flatMap((load) => {
      const path = [...load.path, "replay"];
      const value = valueAt(tree, path);
      return typeof value === "string" && value !== "" ? [{ value, path }] : [];
    }),
  );
}

interface Replays {
  readonly traces: ReadonlyMap<string, readonly TracedRequest[]>;
  readonly findings: readonly Finding[];
  /** In the traces themselves. */
  readonly problems: readonly Problem[];
}

const NOT_READ: FileText = { kind: "refused", rule: "has not been read" };

function readTraces(view: ScenarioView, texts: Surroundings["traces"]): Replays {
  const traces = new Map<string, readonly TracedRequest[]>();
  const findings: Finding[] = [];
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const { value, path } of replaysIn(view)) {
    const text = texts.get(value) ?? NOT_READ;
    if (text.kind === "refused")
      findings.push(error(path, `is a file that ${text.rule}`, { received: quote(value), hint: text.hint }));
    if (text.kind === "refused" || seen.has(value)) continue;
    seen.add(value);
    const reading = readTrace(value, text);
    if (reading.kind === "read") traces.set(value, reading.requests);
    else problems.push(...reading.problems);
  }
  return { traces, findings, problems };
}
