import type { Ms } from "../core/units.ts";
import type { PresetName } from "./model/presets.ts";
import { type Assertion, METRICS } from "./scenario/assertion.ts";
import type { Scenario } from "./scenario/types.ts";

/** One run of a scenario, beside which others may stand in the report. */
export type PlannedSide =
  | { readonly kind: "simulated"; readonly name: string; readonly preset: PresetName; readonly gated: boolean }
  /** A server that is there already; whether the scenario's gate is what stands there, its owner knows. */
  | { readonly kind: "target"; readonly name: string; readonly url: string };

export interface SideWishes {
  /** URLs of servers. Empty: the scenario's simulated models. */
  readonly targets: readonly string[];
  /** Also without the gate. */
  readonly bare: boolean;
}

/** What to run, in order. */
export function sidesFor(scenario: Scenario, { targets, bare }: SideWishes): readonly PlannedSide[] {
  if (targets.length > 0) return targets.map((url) => ({ kind: "target", name: url, url }));
  const isGated = scenario.gate !== undefined;
  const isOne = scenario.models.length === 1;
  return scenario.models.flatMap((preset): readonly PlannedSide[] => {
    const side = (gated: boolean): PlannedSide => {
      const how = gated ? "with the gate" : "without the gate";
      const name = !isGated ? preset : isOne ? how : `${preset}, ${how}`;
      return { kind: "simulated", name, preset, gated };
    };
    return isGated && bare ? [side(true), side(false)] : [side(isGated)];
  });
}

/** The scenario with all its durations scaled, so that together they last so long. Phases that end when their requests are over stay as they are. */
export function lasting(scenario: Scenario, totalMs: Ms): Scenario {
  const planned = scenario.phases.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0);
  if (planned === 0) return scenario;
  const factor = totalMs / planned;
  const phases = scenario.phases.map((phase) => ({
    ...phase,
    durationMs: phase.durationMs === undefined ? undefined : phase.durationMs * factor,
    loads: phase.loads.map((load) => ({
      ...load,
      fromMs: phase.durationMs === undefined ? load.fromMs : load.fromMs * factor,
    })),
  }));
  return { ...scenario, phases };
}

/** The scenario without what can only be asserted of a model that can be seen, and how much that is. */
export function unseen(scenario: Scenario): { readonly scenario: Scenario; readonly leftOut: number } {
  let leftOut = 0;
  const keep = (assertions: readonly Assertion[]): readonly Assertion[] => {
    const kept = assertions.filter(({ metric }) => !METRICS[metric].needsModel);
    leftOut += assertions.length - kept.length;
    return kept;
  };
  const phases = scenario.phases.map((phase) => ({ ...phase, assertions: keep(phase.assertions) }));
  return { scenario: { ...scenario, phases, assertions: keep(scenario.assertions) }, leftOut };
}
