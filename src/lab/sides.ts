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

export interface JudgedRun {
  readonly sight: Sight;
  /** Whether its durations are not those of the file. */
  readonly scaled: boolean;
}

/** The scenario without what cannot be told, and what that is, in words. */
export function judgeable(
  scenario: Scenario,
  run: JudgedRun,
): { readonly scenario: Scenario; readonly leftOut: readonly string[] } {
  const leftOut: string[] = [];
  const keep = (assertions: readonly Assertion[], phase: Phase | undefined): readonly Assertion[] =>
    assertions.filter((assertion) => {
      const why = obstacle(assertion, { scenario, phase, run });
      if (why === undefined) return true;
      const { metric, consumer } = assertion;
      leftOut.push(
        `${phase === undefined ? "" : `${phase.name}: `}${consumer === undefined ? "" : `${consumer} `}${metric} ${why}`,
      );
      return false;
    });
  const phases = scenario.phases.map((phase) => ({ ...phase, assertions: keep(phase.assertions, phase) }));
  return { scenario: { ...scenario, phases, assertions: keep(scenario.assertions, undefined) }, leftOut };
}

interface Stretch {
  readonly scenario: Scenario;
  /** `undefined`: the whole run. */
  readonly phase: Phase | undefined;
  readonly run: JudgedRun;
}

/** Why an assertion cannot be judged. */
function obstacle({ metric, condition }: Assertion, { scenario, phase, run }: Stretch): string | undefined {
  const { needs, byWindow, grows } = METRICS[metric];
  if (!SEES[run.sight].includes(needs))
    return `needs ${needs === "metrics" ? "the model's metrics" : "the model's own count"}`;
  if (byWindow && longestOf(scenario, phase) < scenario.windowMs)
    return `is judged in windows of ${scenario.windowMs / 1_000} s, and that is over sooner`;
  const isTimed = (phase === undefined ? scenario.phases : [phase]).some(({ durationMs }) => durationMs !== undefined);
  // None at all is none in any time; within a part of another phase, both were scaled.
  if (run.scaled && isTimed && grows && condition.kind !== "within" && condition.value > 0)
    return "is a count for the durations in the file";
  return undefined;
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
