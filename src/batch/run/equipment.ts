import type { Clock } from "../../contracts/clock.ts";
import type { Random } from "../../core/random.ts";
import type { EpochMs, Ms } from "../../core/units.ts";
import { systemClock, systemRandom } from "../../engine/clock.ts";
import type { Api } from "../input/parse-row.ts";
import { parseLimit } from "../limiter/parse-limit.ts";
import { RateLimiter } from "../limiter/rate-limiter.ts";
import type { Limiter, PastSend, RateLimiterOptions } from "../limiter/types.ts";
import { Tally } from "../progress/tally.ts";
import { parseBase } from "../transport/endpoint.ts";
import { requestHeaders } from "../transport/identity.ts";
import { Transport } from "../transport/transport.ts";
import { Estimates } from "./estimates.ts";
import { type Feed, LongestFirstFeed } from "./feed.ts";
import { type ResultSink, Runner, type RunnerOptions } from "./runner.ts";
import type { Limit } from "../types.ts";
import type { BatchListener, Price } from "./types.ts";

/** How rows are sent, wherever they come from and wherever their results go. */
export interface SendOptions {
  /** What clients take as their base URL, `http://127.0.0.1:8080/v1`; without a path `/v1` is meant. A query goes with every request. */
  readonly url: string;
  /** Sent as the API wants it. */
  readonly apiKey?: string | undefined;
  /** Which API it is. Default `"openai"`. */
  readonly api?: Api;
  readonly headers?: Readonly<Record<string, string>>;
  /** `"2/s"`, `"200000tok/m"`, …, or `"auto"`. Default: none. */
  readonly limits?: RateLimiterOptions["limits"];
  readonly guardMs?: RateLimiterOptions["guardMs"];
  /** Requests in flight at once. Default 50. */
  readonly concurrency?: number;
  /** Of a row. Default 6. Being refused by a limit is not one. */
  readonly maxAttempts?: number;
  /** Of an attempt, until its last byte. Default 0: no bound. */
  readonly timeoutMs?: Ms;
  /** Without a success in between, the pauses that the server asks for may add up to this. Default 10 minutes. */
  readonly maxPauseMs?: Ms;
  /** So many rows that fail without a success in between stop the run; what is in flight ends. Default 100; 0: no bound. */
  readonly maxFailures?: number;
  /** What to think of the time before, which no journal tells of: `"busy"` waits for the longest window first, an hour at most. */
  readonly coldStart?: "idle" | "busy";
  /** Default `"fifo"`. */
  readonly schedule?: "fifo" | "longest-first";
  readonly price?: Price;
  /** Needs `price`. The run stops before the expected cost would go above it. */
  readonly maxCost?: number;
  readonly listener?: BatchListener;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A runner, with what it works with. */
export interface Equipment {
  readonly runner: Runner;
  readonly limiter: Limiter;
  readonly tally: Tally;
  /** Lets go of timers and connections. */
  readonly close: () => Promise<void>;
}

/** What is particular to one run. */
interface RunParts {
  readonly feed: Feed;
  readonly sink: ResultSink;
  readonly total: number | undefined;
  readonly history?: readonly PastSend[];
  /** The server asked an earlier run for a pause until then. */
  readonly pausedUntil?: EpochMs | undefined;
  /** Hears until when the server asks for a pause. */
  readonly notePause?: (until: EpochMs) => void;
  /** What earlier runs spent. */
  readonly spentBefore?: number;
  readonly noteSend?: RunnerOptions["noteSend"];
}

/** How many requests limits let out in one moment. 0: no limit, and then it does not matter when a request arrives. */
function mostAtOnce(limits: readonly (string | Limit)[]): number {
  const bursts = limits.map((text) => {
    const reading = typeof text === "string" ? parseLimit(text) : { kind: "read" as const, limit: text };
    if (reading.kind === "refused") return 1;
    const { unit, amount, burst, windowMs } = reading.limit;
    return unit === "requests" && windowMs <= LONGEST_BURST_MS ? (burst ?? amount) : 1;
  });
  return limits.length === 0 ? 0 : Math.max(1, Math.min(...bursts));
}

/** Limits over more are paced, one request at a time. */
const LONGEST_BURST_MS: Ms = 1_000;

const MAX_PAUSE_MS: Ms = 600_000;

const MAX_FAILURES = 100;

/** Throws RangeError for options that cannot be kept. */
export function equip(options: SendOptions, parts: RunParts): Equipment {
  const { clock = systemClock, random = systemRandom, concurrency = 50, timeoutMs = 0, listener = {} } = options;
  const base = parseBase(options.url);
  if (typeof base === "string") throw new RangeError(`url ${base}, got ${JSON.stringify(options.url)}`);
  if (options.maxCost !== undefined && options.price === undefined) throw new RangeError("maxCost needs a price");
  const { apiKey, headers = {}, api = "openai", maxFailures = MAX_FAILURES } = options;
  if (!Number.isInteger(maxFailures) || maxFailures < 0)
    throw new RangeError(`maxFailures must be a whole number from 0, got ${String(maxFailures)}`);
  const sent = requestHeaders({ apiKey, isAnthropic: api === "anthropic", headers });
  const limiter = new RateLimiter({
    limits: options.limits ?? [],
    concurrency,
    clock,
    random,
    ...(options.guardMs !== undefined && { guardMs: options.guardMs }),
    ...(options.coldStart !== undefined && { coldStart: options.coldStart }),
    ...(parts.history !== undefined && { history: parts.history }),
    listener: {
      paused: (pause) => {
        const isAsked = pause.retryAfterMs !== undefined || pause.reason === "announced";
        if (isAsked) parts.notePause?.(pause.until + clock.wall() - clock.now());
        listener.paused?.(pause);
      },
    },
  });
  if (parts.pausedUntil !== undefined) {
    const until = parts.pausedUntil - clock.wall() + clock.now();
    limiter.pause({ reason: "rate_limited", until, retryAfterMs: undefined });
  }
  const spareConnections = Math.min(concurrency, parts.total ?? concurrency, mostAtOnce(options.limits ?? []));
  const transport = new Transport({
    base,
    headers: sent,
    timeoutMs,
    connections: concurrency,
    spareConnections,
    clock,
  });
  const tally = new Tally(clock, options.price, parts.spentBefore);
  const estimates = new Estimates();
  const runner = new Runner({
    feed:
      options.schedule === "longest-first"
        ? new LongestFirstFeed(parts.feed, (row) => estimates.of(row).cost.tokens)
        : parts.feed,
    sink: parts.sink,
    limiter,
    transport,
    clock,
    random,
    tally,
    estimates,
    maxAttempts: options.maxAttempts ?? 6,
    patience: { maxPauseMs: options.maxPauseMs ?? MAX_PAUSE_MS, maxFailures },
    price: options.price,
    maxCost: options.maxCost,
    total: parts.total,
    listener,
    hasLimits: (options.limits ?? []).length > 0,
    noteSend: parts.noteSend ?? (() => () => {}),
  });
  const close = async (): Promise<void> => {
    limiter.close();
    await transport.close();
  };
  return { runner, limiter, tally, close };
}
