import type { Clock } from "../../contracts/clock.ts";
import type { Random } from "../../core/random.ts";
import type { EpochMs, Ms, Tokens } from "../../core/units.ts";
import type { Cost, Limit, LimiterStats, LimitSignal, Pause, Permit } from "../types.ts";

/** A request that went out before: what a limiter needs to know to begin where another one ended. */
export interface PastSend {
  /** Wall time, since it has to survive the process. */
  readonly at: EpochMs;
  readonly tokens: Tokens;
  /** How many requests the entry stands for; 1 where it is left out. */
  readonly requests?: number;
}

/** Hears of what a limiter does. Called in the middle of its work: must be short, and must not throw. */
export interface LimiterListener {
  /** Nothing goes out until then. Called again when a pause becomes longer. */
  paused?(pause: Pause): void;
  /** The pause is over. */
  resumed?(): void;
  /** The guard against jitter changed by more than a millisecond. */
  guardChanged?(guardMs: Ms): void;
  /** A limit was learned from the server's headers, or has changed there (`limits: ["auto"]`). */
  learned?(limit: Limit): void;
}

export interface RateLimiterOptions {
  /** `"2/s"`, `"200000tok/m"`, …: see `parseLimit`. `"auto"` learns them from the server's answers. None: only concurrency counts. */
  readonly limits: readonly (string | Limit)[];
  /** How many permits may be out at once. Without bound where it is left out. */
  readonly concurrency?: number;
  /**
   * How much longer than its window a limit is held, against requests that take unequally long to the server. The answer to
   * a request ends that sooner. `"auto"` (the default) is 50 ms, more after a refusal that nothing explains, never more than
   * a quarter of the shortest window.
   */
  readonly guardMs?: Ms | "auto";
  readonly clock?: Clock;
  readonly random?: Random;
  /** What went out before this limiter was made. */
  readonly history?: readonly PastSend[];
  /**
   * What to think of the time before, where `history` does not tell: `"busy"` waits for the longest window first, an hour at
   * most. Default `"idle"`.
   */
  readonly coldStart?: "idle" | "busy";
  readonly listener?: LimiterListener;
}

/** What `observe` made of an answer. */
export type Observation =
  /** Nothing in it keeps others from going out. The request itself may have failed all the same. */
  | { readonly kind: "ok"; readonly shouldRetry: boolean | undefined }
  /** The lane stands still until `pause.until`. Ask for a new permit to try again; that waits. */
  | { readonly kind: "paused"; readonly pause: Pause; readonly shouldRetry: boolean | undefined }
  /** No retry will help, now or later, until a person has done something. */
  | { readonly kind: "exhausted"; readonly why: Exhaustion };

/** Why no request will succeed any more. `forbidden` may concern one request only. */
export type Exhaustion = "quota" | "billing" | "spend_limit" | "unauthorized" | "forbidden";

/** How one asks for a permit. */
export interface AcquireOptions {
  /** Gives up the place in the line; `acquire` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Holds any number of limits at once. `RateLimiter` is the one that does; tests may stand in for it. */
export interface Limiter {
  /**
   * Resolves when a request of this cost (default: one request, no tokens) may go out; it must go out at once. First come,
   * first served. Rejects with `LimitExceededError` where the cost is above a limit and could never go out, with
   * `RangeError` where it is no number from 0, with `LimiterClosedError` after `close`, and with the signal's reason.
   */
  acquire(cost?: Partial<Cost>, options?: AcquireOptions): Promise<Permit>;
  /** Acquires, runs, and settles when the promise of `run` is. */
  schedule<T>(run: (permit: Permit) => T | Promise<T>, cost?: Partial<Cost>, options?: AcquireOptions): Promise<T>;
  /**
   * Takes in what a server answered, refusals above all. Call it for every answer, with its permit, when its headers are
   * there and before the permit is settled: an answer proves that its request has been counted.
   */
  observe(signal: LimitSignal, permit?: Permit): Observation;
  /** Holds everything back until `pause.until`. A pause in force that lasts longer stays. */
  pause(pause: Pause): void;
  /** What holds everything back now: refused, or announced by the server. */
  readonly paused: Pause | undefined;
  /** Takes time in proportion to one window's sends. */
  stats(): LimiterStats;
  /** What went out in the longest window, oldest first: for the `history` of the next limiter. */
  history(): readonly PastSend[];
  /** Rejects everybody who waits. No timer is left. Permits that are out may still be settled. */
  close(): void;
}
