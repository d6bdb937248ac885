import { parseLimit } from "../../batch/limiter/parse-limit.ts";
import type { Ms } from "../../core/units.ts";
import type { LatencyRange } from "../../lab/model/limit/latency.ts";
import type { RateLimitOptions } from "../../lab/model/limit/rate-limit.ts";
import type { WindowKind } from "../../lab/model/limit/types.ts";
import { CommandError, EXIT } from "../exit.ts";

/** The flags of `headgate model` that make it refuse and take its time. */
export interface ModelLimitOptions {
  readonly rateLimit?: string;
  readonly window?: string;
  readonly retryAfter?: boolean;
  readonly latency?: string;
}

const WINDOWS = "first-hit, aligned, sliding, gcra or gcra:BURST";

const UNITS: Readonly<Record<string, Ms>> = { ms: 1, s: 1_000, m: 60_000 };

const LATENCY = /^(?<least>\d+(?:\.\d+)?)(?<leastUnit>ms|s|m)(?:\.\.(?<most>\d+(?:\.\d+)?)(?<mostUnit>ms|s|m))?$/;

/** Reads `--rate-limit` with what belongs to it; `undefined` without. Throws a usage error. */
export function readRateLimit(options: ModelLimitOptions): RateLimitOptions | undefined {
  const { rateLimit, window, retryAfter } = options;
  if (rateLimit === undefined) {
    if (window !== undefined) throw usage("--window is of use with --rate-limit only");
    if (retryAfter !== undefined) throw usage("--retry-after is of use with --rate-limit only");
    return undefined;
  }
  const reading = parseLimit(rateLimit);
  if (reading.kind === "refused") {
    throw usage(`--rate-limit: ${reading.rule}, got ${JSON.stringify(rateLimit)} (${reading.hint})`);
  }
  const { amount, windowMs, unit, burst } = reading.limit;
  if (unit !== "requests") throw usage(`--rate-limit counts requests, got ${JSON.stringify(rateLimit)}`);
  if (burst !== undefined) throw usage("--rate-limit takes no burst; use --window gcra:BURST");
  const text = `${amount} per ${inWords(windowMs)}`;
  return { amount, windowMs, window: readWindow(window ?? "first-hit", amount), text, retryAfter: retryAfter === true };
}

/** Reads `2s..5s` or `500ms`; `undefined` without. Throws a usage error. */
export function readLatency(text: string | undefined): LatencyRange | undefined {
  if (text === undefined) return undefined;
  const parts = LATENCY.exec(text)?.groups;
  const rule = `--latency must be a range like 2s..5s or one duration like 500ms, got ${JSON.stringify(text)}`;
  if (parts === undefined) throw usage(rule);
  const { least = "", leastUnit = "" } = parts;
  const { most = least, mostUnit = leastUnit } = parts;
  const range = { leastMs: Number(least) * (UNITS[leastUnit] ?? 0), mostMs: Number(most) * (UNITS[mostUnit] ?? 0) };
  if (range.mostMs < range.leastMs) throw usage(rule);
  return range;
}

function readWindow(text: string, amount: number): WindowKind {
  if (text === "first-hit" || text === "sliding") return { kind: text };
  if (text === "aligned") return { kind: text, phaseMs: 0 };
  if (text === "gcra") return { kind: "gcra", burst: amount };
  const burst = /^gcra:([1-9]\d{0,8})$/.exec(text)?.[1];
  if (burst !== undefined) return { kind: "gcra", burst: Number(burst) };
  throw usage(`--window must be ${WINDOWS}, got ${JSON.stringify(text)}`);
}

function inWords(windowMs: Ms): string {
  const [ms, word] = [
    [86_400_000, "day"] as const,
    [3_600_000, "hour"] as const,
    [60_000, "minute"] as const,
    [1_000, "second"] as const,
  ].find(([ms]) => windowMs % ms === 0) ?? [1, "millisecond"];
  return `${windowMs / ms} ${word}`;
}

function usage(message: string): CommandError {
  return new CommandError(message, EXIT.usage);
}
