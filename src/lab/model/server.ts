import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import type { Clock } from "../../contracts/clock.ts";
import { createRandom } from "../../core/random.ts";
import { systemClock } from "../../engine/clock.ts";
import { Engine } from "./engine.ts";
import { sendError } from "./http/errors.ts";
import { createRoutes, type Route } from "./http/routes.ts";
import { Visits } from "./http/visits.ts";
import { Latency, type LatencyRange } from "./limit/latency.ts";
import { RateLimit, type RateLimitOptions } from "./limit/rate-limit.ts";
import { Telemetry } from "./metrics/telemetry.ts";
import { PRESETS, type Preset, type PresetName } from "./presets.ts";
import { resetSite, statsOf, type ModelStats, type Site } from "./site.ts";
import { speedUp } from "./speed.ts";
import type { OutputLength } from "./text.ts";

export interface ModelServerOptions {
  /** A preset's name, or a whole preset of one's own. */
  readonly preset: PresetName | Preset;
  /** Decides texts, ids, lengths and jitter. */
  readonly seed?: number;
  readonly clock?: Clock;
  /** Simulated time runs so many times as fast as the clock. */
  readonly speed?: number;
  /** In place of the preset's. */
  readonly output?: OutputLength;
  /** Requests for the model beyond it are refused with 429. */
  readonly rateLimit?: RateLimitOptions | undefined;
  /** Answers take a time drawn from this range, in place of what the preset's engine would take. */
  readonly latency?: LatencyRange | undefined;
}

/** A simulated LLM server. */
export interface ModelServer {
  readonly engine: Engine;
  /** 0 until it listens. */
  readonly port: number;
  /** Resolves with the port; 0 asks for any free one. */
  listen(port?: number, host?: string): Promise<number>;
  /** Drops every connection. */
  close(): Promise<void>;
  stats(): ModelStats;
  /** Ends a wedge and starts the statistics and metrics again at zero. */
  reset(): void;
}

/** Builds a server that does not listen yet. */
export function createModelServer(options: ModelServerOptions): ModelServer {
  const site = createSite(options);
  const routes = createRoutes(site);
  const server = createServer({ keepAliveTimeout: 5_000 }, (request, response) => serve(routes, request, response));
  return {
    engine: site.engine,
    get port(): number {
      return portOf(server);
    },
    listen: (port = 0, host = "127.0.0.1") =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => {
          server.off("error", reject);
          resolve(portOf(server));
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    stats: () => statsOf(site),
    reset: () => resetSite(site),
  };
}

function createSite(options: ModelServerOptions): Site {
  const preset = typeof options.preset === "string" ? PRESETS[options.preset] : options.preset;
  const seed = options.seed ?? 1;
  const clock = speedUp(options.clock ?? systemClock, options.speed ?? 1);
  const telemetry = new Telemetry();
  const engine = new Engine({ config: preset.engine, clock, random: createRandom(seed), observer: telemetry });
  const { contextTokens } = preset.engine;
  return {
    preset,
    seed,
    output: options.output ?? preset.output,
    clock,
    engine,
    latency:
      options.latency === undefined
        ? undefined
        : new Latency({
            range: options.latency,
            clock,
            random: createRandom(seed),
            observer: telemetry,
            contextTokens,
          }),
    rateLimit: options.rateLimit === undefined ? undefined : new RateLimit(options.rateLimit, clock),
    telemetry,
    visits: new Visits(),
  };
}

function serve(routes: ReadonlyMap<string, Route>, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const route = routes.get(path);
  if (route === undefined) {
    request.resume();
    return sendError(response, "openai", { status: 404, message: `no such path: ${path}` });
  }
  if (request.method !== route.method && !(request.method === "HEAD" && route.method === "GET")) {
    request.resume();
    response.setHeader("allow", route.method);
    return sendError(response, "openai", { status: 405, message: `${path} takes ${route.method}` });
  }
  const run = async (): Promise<void> => route.serve(request, response);
  run().catch(() => response.destroy());
}

function portOf(server: Server): number {
  const address = server.address();
  return address === null || typeof address === "string" ? 0 : address.port;
}
