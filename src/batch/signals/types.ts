import type { Ms } from "../../core/units.ts";
import type { Exhaustion } from "../limiter/types.ts";
import type { Cost } from "../types.ts";

/** What an answer says of one of the server's limits. */
export interface Dimension {
  /** Which one: the same in every answer of the server. */
  readonly id: string;
  readonly unit: keyof Cost;
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  /** From now; `undefined` where it is not told. */
  readonly resetMs: Ms | undefined;
  /** What happens until `resetMs`: the limit fills evenly, or nothing comes until then. */
  readonly refill: "gradual" | "at_reset";
  /** How long the window is, where it is told. */
  readonly windowMs: Ms | undefined;
}

/** How long a server asks not to be asked. */
export interface RetryAfter {
  readonly ms: Ms;
  /** Told in milliseconds: meant exactly. Seconds are rounded, often the wrong way. */
  readonly isExact: boolean;
}

/** All that an answer says about going on. */
export interface SignalReading {
  readonly retryAfter: RetryAfter | undefined;
  /** `x-should-retry`. */
  readonly shouldRetry: boolean | undefined;
  readonly dimensions: readonly Dimension[];
  readonly exhaustion: Exhaustion | undefined;
}

/** Headers by their name in lower case. */
export type Headers = Readonly<Record<string, string | undefined>>;
