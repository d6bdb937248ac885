import type { Ms } from "../core/units.ts";
import type { PresetName } from "./model/presets.ts";
import { type Assertion, METRICS } from "./scenario/assertion.ts";
import type { Phase, Scenario } from "./scenario/types.ts";

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

/** What is seen of a target's model. */
export type Sight = "nothing" | "metrics" | "own count";

/** The scenario without what cannot be told, and what that is, in words. */
export function judgeable(
  scenario: Scenario,
  sight: Sight,
): { readonly scenario: Scenario; readonly leftOut: readonly string[] } {
  const leftOut: string[] = [];
  const keep = (assertions: readonly Assertion[], phase: Phase | undefined): readonly Assertion[] =>
    assertions.filter(({ metric, consumer }) => {
      const { needs, byWindow } = METRICS[metric];
      const isTooShort = byWindow && longestOf(scenario, phase) < scenario.windowMs;
      const isSeen = SEES[sight].includes(needs);
      const what = `${phase === undefined ? "" : `${phase.name}: `}${consumer === undefined ? "" : `${consumer} `}${metric}`;
      if (!isSeen)
        leftOut.push(`${what} needs ${needs === "metrics" ? "the model's metrics" : "the model's own count"}`);
      else if (isTooShort)
        leftOut.push(`${what} is judged in windows of ${scenario.windowMs / 1_000} s, and that is over sooner`);
      return isSeen && !isTooShort;
    });
  const phases = scenario.phases.map((phase) => ({ ...phase, assertions: keep(phase.assertions, phase) }));
  return { scenario: { ...scenario, phases, assertions: keep(scenario.assertions, undefined) }, leftOut };
}

const SEES: Readonly<Record<Sight, readonly Sight[]>> = {
  nothing: ["nothing"],
  metrics: ["nothing", "metrics"],
  "own count": ["nothing", "metrics", "own count"],
};

/** How long a phase lasts, or the longest of them. A phase that lasts until its requests are over may last for ever. */
function longestOf({ phases }: Scenario, phase: Phase | undefined): Ms {
  return Math.max(...(phase === undefined ? phases : [phase]).map(({ durationMs = Infinity }) => durationMs));
}
