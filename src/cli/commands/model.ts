import { DEFAULT_MODEL_PORT, DEFAULT_PRESET, type RunningModel, runModel } from "../../lab/model/run.ts";
import { CommandError, EXIT, type ExitCode, listenError } from "../exit.ts";
import { createLog } from "../log.ts";
import { systemClock } from "../../engine/clock.ts";
import { endWithParent, runUntilSignal } from "../stop.ts";
import { hasColor, paletteFor } from "../terminal.ts";
import { tryLine } from "./banner.ts";
import { type ModelLimitOptions, readLatency, readRateLimit } from "./model-limit.ts";
import { wholeNumber, positiveNumber } from "../numbers.ts";

/** The options of `headgate model`, as they come from the command line. */
export interface ModelOptions extends ModelLimitOptions {
  readonly port?: string;
  readonly host?: string;
  readonly preset?: string;
  readonly seed?: string;
  readonly speed?: string;
  readonly withParent?: boolean;
}

/** Runs the simulated model server until it is told to stop. */
export async function model(options: ModelOptions): Promise<ExitCode> {
  const { stdout, stderr, env } = process;
  if (options.withParent === true) endWithParent();
  const port = wholeNumber("--port", options.port ?? String(DEFAULT_MODEL_PORT), { least: 0, most: 65_535 });
  const host = options.host ?? "127.0.0.1";
  const running = await start({ ...options, port, host });
  const palette = paletteFor(hasColor(stdout, env));
  stdout.write(
    [
      `${palette.bold("headgate model")}  ${palette.bold(running.url)}`,
      "",
      `  preset      ${running.preset}, simulated: no GPU, made-up words`,
      `  model       ${running.modelName}`,
      ...limitLines(running),
      `  try         ${tryLine(running.url, running.modelName)}`,
      `  counts      curl ${running.url}/sim/stats`,
      "",
      "",
    ].join("\n"),
  );
  const log = createLog(stderr, { clock: systemClock, palette: paletteFor(hasColor(stderr, env)), debug: false });
  const code = await runUntilSignal({ stop: () => running.close() }, log, () => "stopping");
  const { rate_limit: limit } = running.stats();
  if (limit !== undefined) {
    const worst = `worst ${limit.worst_in_any_window} in any window of ${limit.window_ms} ms`;
    stdout.write(`${worst} (limit ${limit.limit}), ${limit.refused} refused\n`);
  }
  return code;
}

function limitLines({ rateLimit, latency }: RunningModel): readonly string[] {
  const lines: string[] = [];
  if (rateLimit !== undefined) {
    const { text, window } = rateLimit;
    const burst = window.kind === "gcra" ? `, burst ${window.burst}` : "";
    lines.push(`  rate limit  ${text}, ${window.kind}${burst}`);
  }
  if (latency !== undefined) lines.push(`  latency     ${latency.leastMs} to ${latency.mostMs} ms`);
  return lines;
}

async function start(
  options: Omit<ModelOptions, "port" | "host"> & { readonly port: number; readonly host: string },
): Promise<RunningModel> {
  const { port, host, preset = DEFAULT_PRESET } = options;
  const [rateLimit, latency] = [readRateLimit(options), readLatency(options.latency)];
  const seed = wholeNumber("--seed", options.seed ?? "1", { least: 0, most: 2 ** 32 - 1 });
  const speed = positiveNumber("--speed", options.speed ?? "1");
  try {
    return await runModel({ preset, port, host, seed, speed, rateLimit, latency });
  } catch (error) {
    if (error instanceof RangeError) throw new CommandError(`--preset: ${error.message}`, EXIT.usage);
    throw listenError(error, host, port);
  }
}
