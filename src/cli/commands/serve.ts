import { type ConfigResult, formatProblems, readConfig, simpleConfig, type SimpleFlags } from "../../config/index.ts";
import type { Config } from "../../config/types.ts";
import { systemClock } from "../../engine/clock.ts";
import { createGateway, type Gateway, lookAtBackends } from "../../gateway/index.ts";
import { CommandError, EXIT, type ExitCode, listenError } from "../exit.ts";
import { formatDuration } from "../format.ts";
import { createLog } from "../log.ts";
import { runUntilSignal } from "../stop.ts";
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
  readonly debug?: boolean;
}

const DEFAULT_BACKEND = "http://localhost:8081";

/** Runs the gate until it is told to stop. */
export async function serve(options: ServeOptions): Promise<ExitCode> {
  const { stdout, stderr, env } = process;
  const config = settle(await load(options), (text) => stderr.write(`${text}\n`), hasColor(stderr, env));
  const log = createLog(stderr, {
    clock: systemClock,
    palette: paletteFor(hasColor(stderr, env)),
    debug: options.debug === true,
  });
  const version = packageVersion();
  const gateway = createGateway(config, { log, version });
  const [url, looks] = await Promise.all([listen(gateway, config), lookAtBackends(config, systemClock)]);
  stdout.write(formatBanner(config, { url, version, looks }, paletteFor(hasColor(stdout, env))));
  return runUntilSignal({ stop: () => gateway.drain(config.server.drainTimeoutMs) }, log, () => {
    const { in_flight: inFlight, waiting } = gateway.stats();
    const limit = formatDuration(config.server.drainTimeoutMs);
    return `stopping; ${waiting} waiting are refused, ${inFlight} running may end within ${limit}`;
  });
}

/** The configuration, after everything that is wrong or surprising about it was told. Throws where it is wrong. */
export function settle(result: ConfigResult, tell: (text: string) => void, color: boolean): Config {
  const problems = result.kind === "valid" ? result.warnings : result.problems;
  if (problems.length > 0) tell(formatProblems(problems, { color }));
  if (result.kind === "valid") return result.config;
  const errors = problems.filter(({ severity }) => severity === "error").length;
  throw new CommandError(`${errors} ${errors === 1 ? "mistake" : "mistakes"}, nothing was started`, EXIT.usage);
}

async function load(options: ServeOptions): Promise<ConfigResult> {
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
  if (config === undefined) return simpleConfig(flags);
  const clashing = Object.entries(FLAGS_OF_THE_FILE).filter(([name]) => name in options);
  if (clashing.length > 0) {
    const names = clashing.map(([, flag]) => flag).join(", ");
    throw new CommandError(`${names} cannot be given together with --config; set it in ${config}`, EXIT.usage);
  }
  return readConfig(config, process.env);
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

async function listen(gateway: Gateway, config: Config): Promise<string> {
  const { host, port } = config.server;
  try {
    const address = await gateway.listen();
    return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
  } catch (error) {
    throw listenError(error, host, port);
  }
}
