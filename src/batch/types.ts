import type { Ms, Tokens } from "../core/units.ts";

/** One limit: so much of a unit in every window of that length. */
export interface Limit {
  /** `2/s`, `500/m`, `200000tok/m`: what messages call it. */
  readonly name: string;
  readonly unit: "requests" | "tokens";
  readonly amount: number;
  readonly windowMs: Ms;
  /**
   * What may go out at once. `undefined`: chosen by the window: all of it up to a second, since such limits are counted in
   * windows; paced beyond, since providers enforce limits per minute in parts of a second.
   */
  readonly burst: number | undefined;
}

/** What one request takes of the limits. */
export interface Cost {
  readonly requests: number;
  readonly tokens: Tokens;
}

/** A request that may go out now. Settled once; settling again is harmless. */
export interface Permit extends Disposable {
  /** When it was given, on the limiter's clock. */
  readonly at: Ms;
  /** How long it waited for it. */
  readonly waitedMs: Ms;
  /**
   * The request is over, and used so many tokens: the limits are corrected. `undefined`: the estimate stands, and so it does
   * where they are no number from 0; that throws a `RangeError` too.
   */
  settle(tokens?: Tokens): void;
}

/** What a server said about its limits with an answer, as far as it said anything. */
export interface LimitSignal {
  readonly status: number;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body of an error, parsed; `undefined` where there is none. Tells quota from rate. */
  readonly error?: unknown;
}

/** Why nothing goes out for now. */
export interface Pause {
  readonly reason: "rate_limited" | "overloaded" | "announced";
  /** On the limiter's clock. */
  readonly until: Ms;
  /** What the server asked for; `undefined` where it did not say. */
  readonly retryAfterMs: Ms | undefined;
}

/** What a limiter did so far. */
export interface LimiterStats {
  readonly sent: number;
  readonly tokens: Tokens;
  /** For each limit: the most of its unit that lay in any window of its length, by the times at which permits were given. */
  readonly fullest: readonly { readonly limit: Limit; readonly amount: number }[];
  readonly waiting: number;
  readonly inFlight: number;
  readonly paused: Pause | undefined;
  /** The guard against jitter in force. */
  readonly guardMs: Ms;
  /** With `"auto"`: the rate that it has come to, in requests a second. */
  readonly foundPerSecond: number | undefined;
}
