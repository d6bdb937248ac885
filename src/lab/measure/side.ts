import type { Ms } from "../../core/units.ts";
import type { ModelReading } from "../load/types.ts";
import type { ConsumerFigures, PhaseFigures, Side } from "../report/types.ts";
import type { GateSection, Scenario } from "../scenario/types.ts";
import { type Allocation, allocationOf, shareOf } from "./allocation.ts";
import { mergedCells } from "./cell.ts";
import { figuresOf, NO_WINDOWS } from "./figures.ts";
import { judge } from "./judge.ts";
import { modelFiguresOf } from "./model-figures.ts";
import type { Recorder } from "./recorder.ts";
import { timelineOf } from "./timeline.ts";
import { commonWindows, consumerWindows, extremesOf, type Period, worstOf } from "./window-figures.ts";

/** All that was seen of one side. */
export interface SideParts {
  readonly name: string;
  readonly scenario: Scenario;
  /** Whether the gate stood in front. */
  readonly gated: boolean;
  readonly recorder: Recorder;
  readonly readings: readonly ModelReading[];
  readonly durationMs: Ms;
  readonly cutShort: string | undefined;
  /** p99 of how late requests were sent, in real time. */
  readonly sendLagMs: Ms;
}

/** Puts together what the report says of one side. */
export function sideOf(parts: SideParts): Side {
  const { scenario, recorder, readings, gated } = parts;
  const names = scenario.consumers.map(({ name }) => name);
  const periods = periodsOf(parts, names);
  const phases = scenario.phases.map((phase, index) => phaseFigures(parts, { name: phase.name, index, periods }));
  const seconds = parts.durationMs / 1_000;
  const { windowMs, slo } = scenario;
  const whole = { from: 0, to: Math.ceil(seconds), window: windowMs / 1_000 };
  const extremes = extremesOf(
    recorder.series.map(({ admitted }) => admitted),
    whole,
  );
  const capacity = periods.findLast(({ allocation }) => allocation !== undefined)?.allocation?.capacity;
  const all = mergedCells(recorder.cells({}));
  const total = figuresOf(all, {
    seconds,
    slo,
    windows: {
      ...NO_WINDOWS,
      ...extremes,
      ...worstOf(periods.map((period) => commonWindows(recorder.series, period))),
    },
  });
  const side: Omit<Side, "checks"> = {
    name: parts.name,
    duration_s: seconds,
    capacity_per_minute: capacity ?? null,
    seats: gated ? (scenario.gate?.config.deployments[0]?.maxConcurrent ?? null) : null,
    total,
    model: modelFiguresOf(readings, -1, Infinity),
    cut_short: parts.cutShort ?? null,
    phases,
    consumers: names.map((name, index) => consumerFigures(parts, { name, index, periods })),
    timeline: timelineOf({ ...parts, allocationAt: (second) => periodAt(periods, second)?.allocation }),
    distributions: { ttft: all.ttft.distribution(), itl: all.itl.distribution(), e2e: all.e2e.distribution() },
  };
  return { ...side, checks: judge(scenario, side, parts.sendLagMs) };
}

/** One for each phase that began. */
function periodsOf({ scenario, recorder, gated, durationMs }: SideParts, names: readonly string[]): readonly Period[] {
  let section: GateSection | undefined = gated ? scenario.gate : undefined;
  let allocation: Allocation | undefined = allocationOf(section, names);
  return recorder.spans.map(({ fromMs, toMs }, index) => {
    const next = gated ? scenario.phases[index]?.gate : undefined;
    if (next !== undefined) {
      section = next;
      allocation = allocationOf(section, names);
    }
    const to = Math.min(toMs, durationMs);
    const stretch = {
      from: Math.ceil(fromMs / 1_000),
      to: Math.floor(to / 1_000),
      window: scenario.windowMs / 1_000,
    };
    return { stretch, allocation };
  });
}

function periodAt(periods: readonly Period[], second: number): Period | undefined {
  return periods.findLast(({ stretch }) => stretch.from <= second) ?? periods[0];
}

interface PhasePlace {
  readonly name: string;
  readonly index: number;
  readonly periods: readonly Period[];
}

function phaseFigures({ scenario, recorder, readings }: SideParts, { name, index, periods }: PhasePlace): PhaseFigures {
  const period = periods[index];
  const { fromMs, toMs } = recorder.spans[index] ?? { fromMs: 0, toMs: 0 };
  const seconds = (toMs - fromMs) / 1_000;
  const windows = period === undefined ? NO_WINDOWS : commonWindows(recorder.series, period);
  return {
    name,
    from_s: fromMs / 1_000,
    to_s: toMs / 1_000,
    ...figuresOf(mergedCells(recorder.cells({ phase: index })), { seconds, slo: scenario.slo, windows }),
    model: modelFiguresOf(readings, fromMs, toMs),
  };
}

function consumerFigures(parts: SideParts, { name, index, periods }: PhasePlace): ConsumerFigures {
  const { scenario, recorder, durationMs } = parts;
  const { slo } = scenario;
  const windows = periods.map((period) => consumerWindows(recorder.series, index, period));
  const last = periods.findLast(({ allocation }) => allocation !== undefined)?.allocation;
  const share = last && shareOf(last, index);
  return {
    name,
    reservation: share?.reserved === true ? share.fraction : null,
    floor_per_minute: last === undefined || share === undefined ? null : share.fraction * last.capacity,
    ...figuresOf(mergedCells(recorder.cells({ consumer: index })), {
      seconds: durationMs / 1_000,
      slo,
      windows: { ...NO_WINDOWS, floor: worstOf(windows).floor },
    }),
    phases: scenario.phases.map((_, phase) => {
      const { fromMs, toMs } = recorder.spans[phase] ?? { fromMs: 0, toMs: 0 };
      return figuresOf(recorder.cell(phase, index), {
        seconds: (toMs - fromMs) / 1_000,
        slo,
        windows: windows[phase] ?? NO_WINDOWS,
      });
    }),
  };
}
