import type { Ms } from "../../core/units.ts";
import type { Limit } from "../types.ts";
import { parseLimit } from "./parse-limit.ts";
import type { RateLimiterOptions } from "./types.ts";

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

/** Throws a `RangeError` where the concurrency or the guard is no such number. */
export function checkNumbers({ concurrency, guardMs }: RateLimiterOptions): void {
  if (concurrency !== undefined && !(concurrency >= 1)) {
    throw new RangeError(`concurrency must be at least 1, got ${concurrency}`);
  }
  if (guardMs !== undefined && guardMs !== "auto" && !isDuration(guardMs)) {
    throw new RangeError(`guardMs must be "auto" or a number of milliseconds from 0, got ${guardMs}`);
  }
}

function checked(limit: Limit): Limit {
  const { name, amount, windowMs, burst } = limit;
  if (!(amount >= 1) || !Number.isFinite(amount)) throw new RangeError(`limit ${name}: amount must be at least 1`);
  if (!(windowMs >= 1) || !Number.isFinite(windowMs))
    throw new RangeError(`limit ${name}: windowMs must be at least 1`);
  if (burst !== undefined && !(burst >= 1)) throw new RangeError(`limit ${name}: burst must be at least 1`);
  return limit;
}

function isDuration(ms: Ms): boolean {
  return ms >= 0 && Number.isFinite(ms);
}
