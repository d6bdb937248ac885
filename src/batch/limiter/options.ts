import type { Cost, Limit } from "../types.ts";
import { parseLimit } from "./parse-limit.ts";
import type { PastSend, RateLimiterOptions } from "./types.ts";

/** The limits that were told, and whether others are to be learned. */
export interface LimitsReading {
  readonly limits: readonly Limit[];
  readonly isAuto: boolean;
}

/** Reads `limits`. Throws a `RangeError` with the rule, the value and a hint. */
export function readLimits(given: readonly (string | Limit)[]): LimitsReading {
  const limits = given.flatMap((entry): readonly Limit[] => {
    if (entry === "auto") return [];
    if (typeof entry !== "string") return [checked(entry)];
    const reading = parseLimit(entry);
    if (reading.kind === "read") return [reading.limit];
    throw new RangeError(`${reading.rule}, got ${JSON.stringify(entry)} (${reading.hint})`);
  });
  return { limits, isAuto: given.includes("auto") };
}

/** Throws a `RangeError` where the concurrency, the guard or something of the history is no such number. */
export function checkNumbers({ concurrency, guardMs, history = [] }: RateLimiterOptions): void {
  if (concurrency !== undefined && !(concurrency >= 1)) {
    throw new RangeError(`concurrency must be at least 1, got ${concurrency}`);
  }
  if (guardMs !== undefined && guardMs !== "auto" && !isAmount(guardMs)) {
    throw new RangeError(`guardMs must be "auto" or a number of milliseconds from 0, got ${String(guardMs)}`);
  }
  const broken = history.findIndex((send) => !isPastSend(send));
  if (broken !== -1) {
    throw new RangeError(
      `history[${broken}]: at, tokens and requests must be numbers, got ${JSON.stringify(history[broken])}`,
    );
  }
}

/**
 * What is wrong with a cost; `undefined` where nothing is. One that is no number would be added to what was sent, and no
 * limit would hold afterwards.
 */
export function brokenCost({ requests, tokens }: Cost): RangeError | undefined {
  if (!isAmount(requests)) return new RangeError(`requests must be a number from 0, got ${String(requests)}`);
  return isAmount(tokens) ? undefined : new RangeError(`tokens must be a number from 0, got ${String(tokens)}`);
}

/** A finite number from 0. */
export function isAmount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && Number.isFinite(value);
}

function isPastSend({ at, tokens, requests = 1 }: PastSend): boolean {
  return Number.isFinite(at) && isAmount(tokens) && isAmount(requests);
}

function checked(limit: Limit): Limit {
  const { name, amount, windowMs, burst } = limit;
  if (!(amount >= 1) || !Number.isFinite(amount)) throw new RangeError(`limit ${name}: amount must be at least 1`);
  if (!(windowMs >= 1) || !Number.isFinite(windowMs))
    throw new RangeError(`limit ${name}: windowMs must be at least 1`);
  if (burst !== undefined && !(burst >= 1)) throw new RangeError(`limit ${name}: burst must be at least 1`);
  return limit;
}
