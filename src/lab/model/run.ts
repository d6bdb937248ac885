import type { Clock } from "../../contracts/clock.ts";
import { isPresetName, PRESET_NAMES, PRESETS, type PresetName } from "./presets.ts";
import type { LatencyRange } from "./limit/latency.ts";
import type { RateLimitOptions } from "./limit/rate-limit.ts";
import { createModelServer, type ModelServerOptions } from "./server.ts";
import type { ModelStats } from "./site.ts";

/** What `headgate model` takes, as it comes from the command line. */
export interface RunModelOptions {
  /** A name of `PRESETS`. */
  readonly preset: string;
  readonly port: number;
  readonly host?: string;
  readonly seed?: number;
  /** Simulated time runs so many times as fast. */
  readonly speed?: number;
  readonly rateLimit?: RateLimitOptions | undefined;
  readonly latency?: LatencyRange | undefined;
  readonly clock?: Clock;
}

/** A simulated model server that listens. */
export interface RunningModel {
  readonly preset: PresetName;
  readonly modelName: string;
  readonly port: number;
  readonly url: string;
  readonly rateLimit: RateLimitOptions | undefined;
  readonly latency: LatencyRange | undefined;
  stats(): ModelStats;
  close(): Promise<void>;
}

export const DEFAULT_MODEL_PORT = 8081;
export const DEFAULT_PRESET: PresetName = "nim-gpt-oss-20b";

/** Starts a simulated model server. Rejects where the preset is unknown or the port taken. */
export async function runModel(options: RunModelOptions): Promise<RunningModel> {
  const { preset, port, host = "127.0.0.1", ...rest } = options;
  if (!isPresetName(preset)) {
    throw new RangeError(`preset must be one of ${PRESET_NAMES.join(", ")}, got ${JSON.stringify(preset)}`);
  }
  const serverOptions: ModelServerOptions = { ...rest, preset };
  const server = createModelServer(serverOptions);
  const boundPort = await server.listen(port, host);
  return {
    preset,
    modelName: PRESETS[preset].modelName,
    port: boundPort,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${boundPort}`,
    rateLimit: rest.rateLimit,
    latency: rest.latency,
    stats: () => server.stats(),
    close: () => server.close(),
  };
}

/** One line per preset, for the command's help. */
export function describePresets(): string {
  const width = Math.max(...PRESET_NAMES.map((name) => name.length));
  return PRESET_NAMES.map((name) => `  ${name.padEnd(width)}  ${PRESETS[name].summary}`).join("\n");
}
