import { simpleConfig } from "../../config/index.ts";
import type { Log } from "../../contracts/log.ts";
import type { Ms } from "../../core/units.ts";
import { systemClock } from "../../engine/clock.ts";
import { createGateway, type Gateway } from "../../gateway/index.ts";
import { DEFAULT_MODEL_PORT, DEFAULT_PRESET, type RunningModel, runModel } from "../../lab/model/run.ts";
import { CommandError, codeOf, EXIT, type ExitCode, listenError } from "../exit.ts";
import { createLog } from "../log.ts";
import { runUntilSignal } from "../stop.ts";
import { hasColor, type Palette, paletteFor } from "../terminal.ts";
import { packageVersion } from "../version.ts";
import { LiveView } from "../view/live.ts";
import { settle } from "./serve.ts";

/** The options of `headgate demo`, as they come from the command line. */
export interface DemoOptions {
  readonly port?: string;
  readonly preset?: string;
  readonly maxConcurrent?: string;
}

const GATE_PORT = 8080;
const DRAIN_MS: Ms = 10_000;
const HOST = "127.0.0.1";

/** Runs a simulated model and the gate in front of it, and shows what goes on between them. */
export async function demo(options: DemoOptions): Promise<ExitCode> {
  const { stdout, env } = process;
  const palette = paletteFor(hasColor(stdout, env));
  const model = await startModel(options.preset ?? DEFAULT_PRESET);
  const { gateway, url, seats } = await startGate(
    options,
    model,
    createLog(stdout, { clock: systemClock, palette, debug: false }),
  );
  stdout.write(introduction({ url, seats, model }, palette));
  const view = new LiveView({ gateway, terminal: stdout, palette, clock: systemClock });
  view.start();
  const log = createLog(stdout, { clock: systemClock, palette, debug: false });
  const stop = async (): Promise<void> => {
    view.stop();
    await gateway.drain(DRAIN_MS);
    await model.close();
  };
  return runUntilSignal({ stop }, log, () => {
    const { in_flight: inFlight, waiting } = gateway.stats();
    return `stopping; ${waiting} waiting are refused, ${inFlight} running may end within ${DRAIN_MS / 1_000}s`;
  });
}

async function startModel(preset: string): Promise<RunningModel> {
  try {
    return await onFreePort(DEFAULT_MODEL_PORT, (port) => runModel({ preset, port, host: HOST }));
  } catch (error) {
    if (error instanceof RangeError) throw new CommandError(`--preset: ${error.message}`, EXIT.usage);
    throw listenError(error, HOST, DEFAULT_MODEL_PORT);
  }
}

async function startGate(
  options: DemoOptions,
  model: RunningModel,
  log: Log,
): Promise<{ gateway: Gateway; url: string; seats: number }> {
  const { port = GATE_PORT, maxConcurrent } = options;
  const color = hasColor(process.stderr, process.env);
  const result = simpleConfig({ host: HOST, port, backends: [model.url], maxConcurrent });
  const config = settle(result, (text) => process.stderr.write(`${text}\n`), color);
  const gateway = createGateway(config, { log, version: packageVersion() });
  try {
    // A port that was asked for is that port or none.
    const listen = (wanted: number): ReturnType<Gateway["listen"]> => gateway.listen(wanted, HOST);
    const address = options.port === undefined ? await onFreePort(GATE_PORT, listen) : await listen(config.server.port);
    return { gateway, url: `http://${HOST}:${address.port}`, seats: gateway.stats().seats };
  } catch (error) {
    throw listenError(error, HOST, config.server.port);
  }
}

/** Tries the usual port, and takes any free one if that is taken. */
async function onFreePort<T>(usual: number, listen: (port: number) => Promise<T>): Promise<T> {
  try {
    return await listen(usual);
  } catch (error) {
    if (codeOf(error) !== "EADDRINUSE") throw error;
    return listen(0);
  }
}

function introduction(facts: { url: string; seats: number; model: RunningModel }, palette: Palette): string {
  const { url, seats, model } = facts;
  const chat = `curl -s ${url}/v1/chat/completions -H 'content-type: application/json' -d '{"model":"${model.modelName}","messages":[{"role":"user","content":"Say hello"}],"max_tokens":200}'`;
  return [
    `${palette.bold(`headgate ${packageVersion()}`)}  ${palette.bold(url)}  lets ${seats} requests at once reach ${model.url}`,
    palette.dim(`behind it is a simulated ${model.modelName} (${model.preset}): no GPU, made-up words`),
    "",
    "Paste this into another terminal for one answer:",
    "",
    `  ${chat}`,
    "",
    "or this for 30 at once, and watch them wait their turn:",
    "",
    `  for i in $(seq 30); do ${chat} -o /dev/null & done; wait`,
    "",
    palette.dim(`Statistics: curl ${url}/proxy/stats    Stop: Ctrl-C`),
    "",
    "",
  ].join("\n");
}
