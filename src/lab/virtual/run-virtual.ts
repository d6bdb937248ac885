import type { Config } from "../../config/types.ts";
import { createRandom } from "../../core/random.ts";
import type { Ms } from "../../core/units.ts";
import { systemClock } from "../../engine/clock.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { startLoad } from "../load/run.ts";
import type { ModelReading, Visit } from "../load/types.ts";
import { Recorder } from "../measure/recorder.ts";
import { together } from "../measure/together.ts";
import { sideOf } from "../measure/side.ts";
import { PRESETS, type PresetName } from "../model/presets.ts";
import type { Side } from "../report/types.ts";
import type { GateSection, Scenario } from "../scenario/types.ts";
import { WEDGED, WedgeWatch } from "../wedge-watch.ts";
import { VirtualDoor } from "./virtual-door.ts";
import { VirtualGate } from "./virtual-gate.ts";
import { VirtualModel } from "./virtual-model.ts";

export interface VirtualSideOptions {
  readonly name: string;
  readonly scenario: Scenario;
  readonly preset: PresetName;
  /** Whether the scenario's gate stands in front of the model. */
  readonly gated: boolean;
  readonly seed: number;
  /** What the gate runs on, where that is not what the scenario says: a negative control. */
  readonly gateConfig?: Config;
  /** Hears of every request when it is over. */
  readonly onVisit?: (visit: Visit) => void;
  /** Ends the run before its time. Its reason, a text, is why. */
  readonly signal?: AbortSignal;
}

const READ_EVERY_MS: Ms = 1_000;

/** Virtual time between two looks at what goes on outside, such as Ctrl-C. */
const BREATH_MS: Ms = 60_000;

/** Runs a scenario on virtual time, through the gate's own engine and the simulated model. Takes no more time than the work does. */
export async function runVirtualSide(options: VirtualSideOptions): Promise<Side> {
  const { name, scenario, preset, gated, seed, onVisit, signal, gateConfig = scenario.gate?.config } = options;
  const clock = new VirtualClock();
  const model = new VirtualModel(PRESETS[preset], clock, createRandom(seed));
  const config = gated ? gateConfig : undefined;
  const gate = config && new VirtualGate(config, clock, createRandom(seed + 1));
  const recorder = new Recorder(scenario);
  const readings: ModelReading[] = [];
  const wedge = new WedgeWatch();
  let cutShort: string | undefined;
  const load = {
    scenario,
    clock,
    seed,
    door: new VirtualDoor(clock, model, gate),
    observer: together(recorder, {
      // So that its figures of a phase begin with the phase.
      phaseBegan: (at) => void readings.push(model.reading(at)),
      ...(onVisit !== undefined && { ended: onVisit }),
    }),
    configure: (section: GateSection) => gate?.reconfigure(section.config),
  };
  const end: { at?: Ms } = {};
  const run = startLoad(load, () => {
    end.at = clock.now();
  });
  while (end.at === undefined) {
    clock.advance(READ_EVERY_MS);
    const reading = model.reading(clock.now() - run.origin);
    readings.push(reading);
    if (clock.now() % BREATH_MS === 0) await new Promise<void>((resolve) => void systemClock.after(0, resolve));
    if (cutShort !== undefined) continue;
    if (signal?.aborted === true) {
      cutShort = String(signal.reason);
      run.stop("interrupted");
    } else if (wedge.isHopeless(reading)) {
      cutShort = WEDGED;
      run.stop("hopeless");
    }
  }
  gate?.close();
  const durationMs = end.at - run.origin;
  return sideOf({ name, scenario, gated, recorder, readings, durationMs, cutShort, sendLagMs: 0 });
}
