import { type ConfigResult, formatProblems, simpleConfig, type SimpleFlags } from "../../config/index.ts";
import type { Config, ServerConfig } from "../../config/types.ts";
import { systemClock } from "../../engine/clock.ts";
import { createGateway, type Gateway, type GatewayOptions, lookAtBackends } from "../../gateway/index.ts";
import { speedUp } from "../../lab/model/speed.ts";
import { CommandError, EXIT, type ExitCode, listenError } from "../exit.ts";
import { formatDuration, urlOf } from "../format.ts";
import { createLog } from "../log.ts";
import { positiveNumber } from "../numbers.ts";
import { listenErrorInFile, type Office, openOffice } from "../office.ts";
import { type FileVersion, readVersion } from "../reload.ts";
import { endWithParent, runUntilSignal } from "../stop.ts";
import { hasColor, paletteFor } from "../terminal.ts";
import { packageVersion } from "../version.ts";
import { formatBanner } from "./banner.ts";

/** The options of `headgate serve`, as they come from the command line. */
export interface ServeOptions {
  readonly config?: string;
  readonly host?: string;
  readonly port?: string;
  readonly backend?: readonly string[];
  readonly maxConcurrent?: string;
  readonly maxInflightTokens?: string;
  readonly queueLength?: string;
  readonly queueWait?: string;
  readonly apiKey?: string;
  readonly drainTimeout?: string;
  /** For the lab, where a scenario runs faster than the clock. */
  readonly speed?: string;
  readonly withParent?: boolean;
  readonly debug?: boolean;
}

const DEFAULT_BACKEND = "http://localhost:8081";

/** Runs the gate until it is told to stop. */
export async function serve(options: ServeOptions): Promise<ExitCode> {
  const { stdout, stderr, env } = process;
  if (options.withParent === true) endWithParent();
  const { result, hash } = await load(options);
  const config = settle(result, (text) => stderr.write(`${text}\n`), hasColor(stderr, env));
  const log = createLog(stderr, {
    clock: systemClock,
    palette: paletteFor(hasColor(stderr, env)),
    debug: options.debug === true,
  });
  const version = packageVersion();
  const clock = speedUp(systemClock, positiveNumber("--speed", options.speed ?? "1"));
  const gateway = build(config, { log, version, clock });
  const path = options.config;
  // First, so that a gate that operators cannot reach serves nobody.
  const office = path === undefined ? undefined : await openOffice({ path, config, hash, gateway, log });
  const listening = office === undefined ? listen(gateway, config.server) : listenBeside(office, gateway);
  const [url, looks] = await Promise.all([listening, lookAtBackends(config, systemClock)]);
  office?.startReloading();
  const facts = { url, version, looks, admin: office?.url };
  stdout.write(formatBanner(config, facts, paletteFor(hasColor(stdout, env))));
  const stop = async (): Promise<void> => {
    office?.stopReloading();
    await gateway.drain(gateway.config.server.drainTimeoutMs);
    await office?.close();
  };
  return runUntilSignal({ stop }, log, () => {
    const { in_flight: inFlight, waiting } = gateway.stats();
    const limit = formatDuration(gateway.config.server.drainTimeoutMs);
    return `stopping; ${waiting} waiting are refused, ${inFlight} running may end within ${limit}`;
  });
}

/** A gate that cannot be built has a file behind its configuration that cannot be read. */
function build(config: Config, options: GatewayOptions): Gateway {
  try {
    return createGateway(config, options);
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), EXIT.usage);
  }
}

/** The configuration, after everything that is wrong or surprising about it was told. Throws where it is wrong. */
export function settle(result: ConfigResult, tell: (text: string) => void, color: boolean): Config {
  const problems = result.kind === "valid" ? result.warnings : result.problems;
  if (problems.length > 0) tell(formatProblems(problems, { color }));
  if (result.kind === "valid") return result.config;
  const errors = problems.filter(({ severity }) => severity === "error").length;
  throw new CommandError(`${errors} ${errors === 1 ? "mistake" : "mistakes"}, nothing was started`, EXIT.usage);
}

async function load(options: ServeOptions): Promise<FileVersion> {
  const { config, host, port, drainTimeout } = options;
  const flags: SimpleFlags = {
    host,
    port,
    drainTimeoutMs: drainTimeout,
    backends: options.backend ?? [DEFAULT_BACKEND],
    apiKey: options.apiKey ?? process.env["HEADGATE_BACKEND_KEY"],
    maxConcurrent: options.maxConcurrent,
    maxInflightTokens: options.maxInflightTokens,
    queueLength: options.queueLength,
    queueWaitMs: options.queueWait,
  };
  if (config === undefined) return { result: simpleConfig(flags), hash: undefined };
  const clashing = Object.entries(FLAGS_OF_THE_FILE).filter(([name]) => name in options);
  if (clashing.length > 0) {
    const names = clashing.map(([, flag]) => flag).join(", ");
    throw new CommandError(`${names} cannot be given together with --config; set it in ${config}`, EXIT.usage);
  }
  return readVersion(config, process.env);
}

const FLAGS_OF_THE_FILE: Readonly<Record<string, string>> = {
  host: "--host",
  port: "--port",
  backend: "--backend",
  maxConcurrent: "--max-concurrent",
  maxInflightTokens: "--max-inflight-tokens",
  queueLength: "--queue-length",
  queueWait: "--queue-wait",
  apiKey: "--api-key",
  drainTimeout: "--drain-timeout",
};

async function listen(gateway: Gateway, { host, port }: ServerConfig): Promise<string> {
  try {
    const address = await gateway.listen();
    return urlOf(host, address.port);
  } catch (error) {
    throw listenError(error, host, port);
  }
}

/** Where the gate cannot listen, operators are not told that it runs either. */
async function listenBeside(office: Office, gateway: Gateway): Promise<string> {
  const { server } = gateway.config;
  try {
    return urlOf(server.host, (await gateway.listen()).port);
  } catch (error) {
    await office.close();
    throw listenErrorInFile(error, "server", server);
  }
}
