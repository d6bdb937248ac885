import type { Ms } from "../units.ts";

/** What a rate limit counts. `tokens` are input and output together. */
export type Counted = "requests" | "tokens" | "input_tokens" | "output_tokens";

/** The time that a rate limit counts over. */
export type Window = "second" | "minute" | "hour" | "day";

export const WINDOW_MS: Readonly<Record<Window, Ms>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** A rate limit by the name that it has in the file. */
export type RateLimitName = `${Counted}_per_${Window}`;

/** Every limit that one consumer can have at one deployment, by the name that it has in the file. */
export type LimitName = RateLimitName | "concurrent_requests" | "input_tokens";

export interface RateLimitKind {
  readonly name: RateLimitName;
  readonly counted: Counted;
  readonly window: Window;
}

const COUNTED: readonly Counted[] = ["requests", "tokens", "input_tokens", "output_tokens"];
const WINDOWS: readonly Window[] = ["second", "minute", "hour", "day"];

/** All rate limits there are, in the order in which a refusal names them. */
export const RATE_LIMITS: readonly RateLimitKind[] = COUNTED.flatMap((counted) =>
  WINDOWS.map((window) => ({ name: `${counted}_per_${window}` as const, counted, window })),
);

/**
 * The limits of one row of the file: the default policy of a deployment, or an exception. What is left out is taken from
 * the next less specific row, and is unlimited where no row has it. A limit of 0 blocks.
 */
export interface Limits {
  readonly values: Readonly<Partial<Record<LimitName, number>>>;
  /** Rate limits are exact logs: never more than the limit in any window. Left out, the less specific row decides. */
  readonly strict: boolean | undefined;
}
