import type { Clock } from "../../contracts/clock.ts";
import type { Engine } from "./engine.ts";
import type { Latency } from "./limit/latency.ts";
import type { RateLimit, RateLimitStats } from "./limit/rate-limit.ts";
import type { Visits } from "./http/visits.ts";
import type { Telemetry } from "./metrics/telemetry.ts";
import type { Preset } from "./presets.ts";
import type { OutputLength } from "./text.ts";

/** What the handlers of one server share. */
export interface Site {
  readonly preset: Preset;
  readonly seed: number;
  readonly output: OutputLength;
  readonly clock: Clock;
  readonly engine: Engine;
  /** Where set, answers come from here, and the engine idles. */
  readonly latency: Latency | undefined;
  readonly rateLimit: RateLimit | undefined;
  readonly telemetry: Telemetry;
  readonly visits: Visits;
}

/** `GET /sim/stats`: what the server itself counted. */
export interface ModelStats {
  /** Inference requests open now, from their headers to the end of their response. */
  readonly concurrent: number;
  readonly max_concurrent_seen: number;
  readonly wedged: boolean;
  readonly requests: {
    readonly completed: number;
    /** The client left early. */
    readonly aborted: number;
    /** Answered with an error. */
    readonly failed: number;
    /** Asked for a fault by `x-sim-fault`. */
    readonly faulted: number;
  };
  /** Prompt tokens processed. */
  readonly tokens_in: number;
  /** Tokens generated, also for clients that left. */
  readonly tokens_out: number;
  /** With `--rate-limit`. Refused requests are counted here and nowhere else. */
  readonly rate_limit?: RateLimitStats;
}

export function statsOf({ visits, engine, telemetry, rateLimit }: Site): ModelStats {
  return {
    concurrent: visits.concurrent,
    max_concurrent_seen: visits.maxConcurrentSeen,
    wedged: engine.state.wedged,
    requests: visits.endings,
    tokens_in: telemetry.promptTokens,
    tokens_out: telemetry.generatedTokens,
    ...(rateLimit === undefined ? {} : { rate_limit: rateLimit.stats() }),
  };
}

/** `POST /sim/reset`: as after a restart, but for the requests that are open. */
export function resetSite({ visits, engine, telemetry, rateLimit }: Site): void {
  visits.clear();
  telemetry.clear();
  engine.unwedge();
  rateLimit?.reset();
}
