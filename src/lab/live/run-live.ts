import type { Clock } from "../../contracts/clock.ts";
import { openDoor } from "../http/door.ts";
import { ModelWatch } from "../http/model-watch.ts";
import { type LoadRun, startLoad } from "../load/run.ts";
import type { ModelReading, Visit } from "../load/types.ts";
import { LagWatch } from "../measure/lag.ts";
import { Recorder } from "../measure/recorder.ts";
import { sideOf } from "../measure/side.ts";
import { together } from "../measure/together.ts";
import { speedUp } from "../model/speed.ts";
import type { Percentiles, Side } from "../report/types.ts";
import type { Scenario } from "../scenario/types.ts";
import { WEDGED, WedgeWatch } from "../wedge-watch.ts";
import type { LiveSite } from "./site.ts";

export interface LiveSideOptions {
  readonly name: string;
  readonly scenario: Scenario;
  readonly site: LiveSite;
  /** Whether the scenario's gate is what stands at the site. */
  readonly gated: boolean;
  readonly seed: number;
  readonly speed: number;
  /** The system's. */
  readonly clock: Clock;
  /** Where this run's prompts begin: no cache must know them. */
  readonly firstNumber: number;
  /** Hears of every request when it is over. */
  readonly onVisit: (visit: Visit) => void;
  /** The run has begun. */
  readonly onStart: (progress: LiveProgress) => void;
  /** Ends the run before its time. Its reason, a text, is why. */
  readonly signal: AbortSignal;
}

/** What can be seen of a run while it goes on. */
export interface LiveProgress {
  readonly recorder: Recorder;
  /** Scenario time since it began. */
  readonly elapsedMs: () => number;
  readonly lastReading: () => ModelReading | undefined;
}

/** One side, and how late the generator was. */
export interface LiveSide {
  readonly side: Side;
  readonly sendLag: Percentiles;
  readonly loopLag: Percentiles;
}

/** Runs a scenario over HTTP. Rejects where the site cannot be reached at all, or a phase's configuration not be applied. */
export async function runLiveSide(options: LiveSideOptions): Promise<LiveSide> {
  const { scenario, site, speed, clock: realTime, firstNumber } = options;
  const key = scenario.consumers[0]?.key;
  const model = scenario.phases[0]?.loads[0]?.behaviour.model;
  const door = await openDoor({
    url: site.url,
    model,
    firstNumber,
    headerTimeScale: site.timeScale,
    ...(key !== undefined && { key }),
  });
  const lag = new LagWatch(realTime, speed);
  const recorder = new Recorder(scenario);
  const clock = speedUp(realTime, speed);
  const end = new Ending(options.signal);
  let watch: ModelWatch | undefined;
  try {
    lag.start();
    const origin = clock.now();
    watch =
      site.metrics && new ModelWatch({ ...site.metrics, clock, origin, timeScale: site.timeScale, onReading: end.see });
    const done = new Promise<void>((resolve) => {
      const observer = together(recorder, {
        // So that its figures of a phase begin with the phase.
        phaseBegan: () => void watch?.read(),
        sent: (visit) => lag.sent(visit),
        ended: options.onVisit,
      });
      const configure = (section: Parameters<LiveSite["configure"]>[0]): void => {
        site.configure(section).catch((error: unknown) => end.fail(error));
      };
      end.run = startLoad({ scenario, door, clock, seed: options.seed, observer, configure }, resolve);
    });
    options.onStart({
      recorder,
      elapsedMs: () => clock.now() - origin,
      lastReading: () => watch?.readings.at(-1),
    });
    await done;
    const durationMs = clock.now() - origin;
    lag.stop();
    await watch?.read();
    end.throwIfFailed();
    const side = sideOf({
      ...options,
      recorder,
      readings: watch?.readings ?? [],
      durationMs,
      cutShort: end.why,
      sendLagMs: lag.sendLag.p99 ?? 0,
    });
    return { side, sendLag: lag.sendLag, loopLag: lag.loopLag };
  } finally {
    lag.stop();
    end.close();
    await watch?.stop();
    await door.close();
  }
}

/** Ends a run before its time: when somebody says so, when something broke, or when the model will not answer any more. */
class Ending {
  run: LoadRun | undefined;
  why: string | undefined;
  readonly #signal: AbortSignal;
  readonly #wedge = new WedgeWatch();
  #failure: Error | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  readonly see = (reading: ModelReading): void => {
    if (this.#wedge.isHopeless(reading)) this.#end(WEDGED, "hopeless");
  };

  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#end("the gate could not be configured", "interrupted");
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  close(): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => this.#end(String(this.#signal.reason), "interrupted");

  #end(why: string, how: "interrupted" | "hopeless"): void {
    if (this.why !== undefined) return;
    this.why = why;
    this.run?.stop(how);
  }
}
