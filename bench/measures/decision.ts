import type { DecisionCommand, DecisionReport } from "../decision.ts";
import { type Load, type Part, PARTS, type Situation } from "../decision/situation.ts";
import { Child } from "../process/child.ts";
import type { Extent } from "./bench.ts";
import { type Summary, summarize } from "./statistics.ts";

const CONSUMERS = [10, 1_000, 100_000] as const;

/** Until code is compiled, bursts are used up, and everybody has asked. */
const WARM_UP = 150_000;

/** What one decision costs, from the request for a share to the settled lease. */
export interface DecisionCost extends Situation {
  readonly micros: Summary;
  /** Parts of the requests. */
  readonly waited: number;
  readonly refused: number;
}

/** Processor time per decision, each situation in processes of its own, one after another. */
export async function measureDecision(extent: Extent, profile: string | undefined): Promise<readonly DecisionCost[]> {
  const costs: DecisionCost[] = [];
  for (const consumers of CONSUMERS) {
    for (const [load, part] of SITUATIONS) {
      costs.push(await oneSituation({ consumers, part, load }, extent, profile));
    }
  }
  return costs;
}

/** Part by part where everybody gets in; all of it where not everybody does. */
const SITUATIONS: readonly (readonly [Load, Part])[] = [
  ...PARTS.map((part) => ["below", part] as const),
  ["above", "seat"],
];

async function oneSituation(situation: Situation, extent: Extent, profile: string | undefined): Promise<DecisionCost> {
  const { consumers, load, part } = situation;
  const command = { ...situation, warmUp: WARM_UP, requests: extent.decisions };
  const name = `decision-${part}-${load}-${consumers}`;
  const flags =
    profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${name}.cpuprofile`];
  const reports: DecisionReport[] = [];
  for (let generation = 0; generation < extent.rounds; generation++) {
    const child = await Child.start<DecisionCommand, DecisionReport>("decision", { flags });
    reports.push(await child.ask(command));
    await child.stop();
  }
  const partOf = (pick: (report: DecisionReport) => number): number =>
    summarize(reports.map((report) => pick(report) / report.asked)).median;
  return {
    ...situation,
    micros: summarize(reports.map(({ cpuMicros, asked }) => cpuMicros / asked)),
    waited: partOf(({ waited }) => waited),
    refused: partOf(({ refused }) => refused),
  };
}
