import { join } from "node:path";

import type { Clock } from "../../contracts/clock.ts";
import type { PresetName } from "../model/presets.ts";
import { gateFile } from "../scenario/index.ts";
import type { GateSection } from "../scenario/types.ts";
import { type Launch, startStage } from "../stage/stage.ts";

/** What a load runs against, over HTTP. */
export interface LiveSite {
  /** Where requests go. */
  readonly url: string;
  /** Where the model says what it does; `undefined` where nobody can see it. */
  readonly metrics: { readonly url: string; readonly page?: string; readonly isSimulated: boolean } | undefined;
  /** Milliseconds of scenario time in one of the server's. */
  readonly timeScale: number;
  /** Puts another configuration of the gate in force. Rejects where that cannot be. */
  configure(section: GateSection): Promise<void>;
  stop(): Promise<void>;
}

export interface SimulatedSiteOptions {
  readonly launch: Launch;
  readonly preset: PresetName;
  readonly seed: number;
  readonly speed: number;
  /** `undefined`: requests go straight to the model. */
  readonly gate: GateSection | undefined;
  /** For logs and the gate's file. */
  readonly folder: string;
  /** The system's. */
  readonly clock: Clock;
  readonly onDeath: (why: string) => void;
}

/** Starts the simulated model, and the gate in front of it, as processes of their own. */
export async function openSimulatedSite(options: SimulatedSiteOptions): Promise<LiveSite> {
  const { gate, preset, seed, speed, clock, folder, launch, onDeath } = options;
  const textOf = (section: GateSection, modelUrl: string): string =>
    gateFile(section, { backends: [modelUrl], port: 0 });
  const stage = await startStage({
    launch,
    model: { preset, seed },
    speed,
    gate: gate && ((modelUrl) => textOf(gate, modelUrl)),
    folder,
    clock,
    onDeath,
  });
  return {
    url: stage.url,
    metrics: { url: stage.modelUrl, isSimulated: true },
    timeScale: 1,
    configure: async (section) => {
      if (gate === undefined) return;
      const edit = await stage.applyGate(textOf(section, stage.modelUrl));
      if (edit.kind === "refused") {
        throw new Error(
          `the gate refused its new configuration: ${edit.problems.join("; ")} (${join(folder, "serve.log")})`,
        );
      }
    },
    stop: () => stage.stop(),
  };
}

/** A server that is there already. */
export function targetSite(
  url: string,
  options: { readonly metrics: string | undefined; readonly speed: number },
): LiveSite {
  const { metrics, speed } = options;
  return {
    url,
    metrics: metrics === undefined ? undefined : { url: new URL(metrics).origin, page: metrics, isSimulated: false },
    timeScale: speed,
    // Whoever runs it configures it.
    configure: async () => {},
    stop: async () => {},
  };
}
