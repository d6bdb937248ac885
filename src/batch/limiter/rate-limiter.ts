import type { Clock } from "../../contracts/clock.ts";
import type { Random } from "../../core/random.ts";
import type { Ms } from "../../core/units.ts";
import { systemClock, systemRandom } from "../../engine/clock.ts";
import { readSignal } from "../signals/read.ts";
import type { Dimension, SignalReading } from "../signals/types.ts";
import type { Cost, LimiterStats, LimitSignal, Pause, Permit } from "../types.ts";
import { Aborts } from "./aborts.ts";
import { AutoRate } from "./auto-rate.ts";
import { Clamps, type SendMark } from "./clamps.ts";
import { LimiterClosedError, LimitExceededError } from "./errors.ts";
import { Guard } from "./guard.ts";
import { Lane } from "./lane.ts";
import { learnedLimit } from "./learned-limit.ts";
import { Ledger } from "./ledger.ts";
import { brokenCost, checkNumbers, readLimits } from "./options.ts";
import { SentPermit } from "./permit.ts";
import { type RecoveryPace, Standstill } from "./standstill.ts";
import { WindowFinder } from "./window-finder.ts";
import type { AcquireOptions, Limiter, LimiterListener, Observation, PastSend, RateLimiterOptions } from "./types.ts";

/** What comes on top of a wait that the server asks for in whole seconds, by chance: it is often a little too short. */
const SLACK_FRACTION = 0.1;
const MOST_SLACK: Ms = 5_000;

/** Nobody waits for a day because others may have been busy. */
const LONGEST_COLD_START: Ms = 3_600_000;

/** Lets requests out as fast as any number of limits allow, and not one faster. The laws stand in `lane.ts` and `send-log.ts`. */
export class RateLimiter implements Limiter {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #listener: LimiterListener;
  readonly #guard: Guard;
  readonly #ledger: Ledger;
  readonly #clamps = new Clamps();
  readonly #standstill = new Standstill();
  readonly #aborts = new Aborts();
  readonly #auto: AutoRate | undefined;
  readonly #windows = new WindowFinder();
  readonly #lane: Lane;
  #isClosed = false;

  /** Throws a `RangeError` for a limit, a guard, a concurrency or a history that is none. */
  constructor(options: RateLimiterOptions) {
    checkNumbers(options);
    const { limits, isAuto } = readLimits(options.limits);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#listener = options.listener ?? {};
    this.#guard = new Guard(options.guardMs ?? "auto");
    const now = this.#clock.now();
    this.#ledger = new Ledger(limits, this.#guard, this.#clock);
    this.#ledger.recall(options.history ?? []);
    this.#auto = isAuto ? new AutoRate() : undefined;
    const windows = limits.map(({ windowMs }) => Math.min(windowMs, LONGEST_COLD_START));
    const longest = limits.length === 0 ? 0 : Math.max(...windows) + this.#ledger.guardMs;
    this.#lane = new Lane({
      clock: this.#clock,
      ledger: this.#ledger,
      clamps: this.#clamps,
      standstill: this.#standstill,
      auto: this.#auto,
      concurrency: options.concurrency ?? Infinity,
      opensAt: options.coldStart === "busy" ? now + longest : -Infinity,
      resumed: () => this.#listener.resumed?.(),
    });
  }

  acquire(cost?: Partial<Cost>, { signal }: AcquireOptions = {}): Promise<Permit> {
    const whole: Cost = { requests: cost?.requests ?? 1, tokens: cost?.tokens ?? 0 };
    if (this.#isClosed) return Promise.reject(new LimiterClosedError());
    if (signal?.aborted === true) return Promise.reject(reasonOf(signal));
    const broken = brokenCost(whole);
    if (broken !== undefined) return Promise.reject(broken);
    const excludedBy = this.#ledger.excludedBy(whole);
    if (excludedBy !== undefined) return Promise.reject(new LimitExceededError(excludedBy, whole));
    const permit = this.#lane.tryEnter(whole);
    if (permit !== undefined) return Promise.resolve(permit);
    return signal === undefined ? this.#wait(whole) : this.#waitUnless(whole, signal);
  }

  async schedule<T>(
    run: (permit: Permit) => T | Promise<T>,
    cost?: Partial<Cost>,
    options?: AcquireOptions,
  ): Promise<T> {
    using permit = await this.acquire(cost, options);
    return await run(permit);
  }

  observe(signal: LimitSignal, permit?: Permit): Observation {
    const now = this.#clock.now();
    const reading = readSignal(signal, this.#clock.wall());
    if (reading.exhaustion !== undefined) return { kind: "exhausted", why: reading.exhaustion };
    if (permit instanceof SentPermit) this.#lane.answered(permit.facts);
    const mark: SendMark =
      permit instanceof SentPermit ? permit.facts : { at: permit?.at ?? now, sent: this.#ledger.sent };
    const { status } = signal;
    const { shouldRetry, retryAfter } = reading;
    const isRefusal = status === 429 || status === 529 || (status === 503 && retryAfter !== undefined);
    for (const dimension of reading.dimensions) {
      this.#learn(dimension);
      // A refusal that says when to come back knows better than its other fields.
      if (!isRefusal || retryAfter === undefined) this.#clamps.take(dimension, mark, now);
    }
    if (isRefusal) {
      const reason = status === 429 ? "rate_limited" : "overloaded";
      return { kind: "paused", pause: this.#refused(reason, reading, mark), shouldRetry };
    }
    if (status < 500) {
      this.#standstill.succeeded(mark.at);
      this.#auto?.passed(mark.at, now);
    }
    this.#applyGuard(now);
    this.#lane.dispatch();
    return { kind: "ok", shouldRetry };
  }

  pause(pause: Pause): void {
    if (this.#standstill.begin(pause, this.#recoveryPace(), this.#clock.now())) this.#listener.paused?.(pause);
    this.#lane.dispatch();
  }

  get paused(): Pause | undefined {
    const now = this.#clock.now();
    return this.#standstill.current(now) ?? this.#announced(now);
  }

  stats(): LimiterStats {
    const now = this.#clock.now();
    const { requests: sent, tokens } = this.#ledger.sent;
    return {
      sent,
      tokens,
      fullest: this.#ledger.fullest(),
      waiting: this.#lane.waiting,
      inFlight: this.#lane.inFlight,
      paused: this.paused,
      guardMs: this.#guard.at(now),
      foundPerSecond: this.#auto?.perSecond,
    };
  }

  history(): readonly PastSend[] {
    return this.#ledger.history();
  }

  close(): void {
    this.#isClosed = true;
    this.#lane.close(new LimiterClosedError());
  }

  #wait(cost: Cost): Promise<Permit> {
    return new Promise((resolve, reject) => void this.#lane.enter(cost, resolve, reject));
  }

  #waitUnless(cost: Cost, signal: AbortSignal): Promise<Permit> {
    return new Promise((resolve, reject) => {
      const over = this.#aborts.add(signal, () => {
        this.#lane.leave(waiter);
        reject(reasonOf(signal));
      });
      const admit = (permit: SentPermit): void => {
        over();
        resolve(permit);
      };
      const refuse = (reason: Error): void => {
        over();
        reject(reason);
      };
      const waiter = this.#lane.enter(cost, admit, refuse);
    });
  }

  /** One of the server's limits, where limits are to be learned. */
  #learn(dimension: Dimension): void {
    if (this.#auto === undefined) return;
    const windowMs = dimension.windowMs ?? this.#windows.take(dimension);
    const limit = learnedLimit({ ...dimension, windowMs });
    if (limit !== undefined && this.#ledger.learn(dimension.id, limit)) this.#listener.learned?.(limit);
  }

  /** The server refused a request for the rate, or for its load: everybody waits. Returns the pause in force. */
  #refused(reason: Pause["reason"], { retryAfter }: SignalReading, mark: SendMark): Pause {
    const now = this.#clock.now();
    // What is refused during a pause went out before it.
    const isNews = this.#standstill.current(now) === undefined && !this.#standstill.isKnown(mark.at);
    let waitMs = isNews ? this.#standstill.nextBackoff(now) : 0;
    if (retryAfter !== undefined) {
      const slack = retryAfter.isExact ? 0 : Math.min(retryAfter.ms * SLACK_FRACTION, MOST_SLACK) * this.#random();
      waitMs = retryAfter.ms + slack + this.#ledger.guardMs;
    }
    if (isNews) {
      this.#auto?.refused(now);
      if (reason === "rate_limited" && !this.#isExplained(retryAfter?.ms)) {
        this.#guard.raise(now - mark.at, now);
      }
      this.#applyGuard(now);
    }
    const pause: Pause = { reason, until: now + waitMs, retryAfterMs: retryAfter?.ms };
    this.pause(pause);
    return this.#standstill.current(now) ?? pause;
  }

  /** A server that asks for longer than any window that we hold has refused for a limit that we do not know. */
  #isExplained(retryAfterMs: Ms | undefined): boolean {
    return retryAfterMs !== undefined && this.#ledger.limits.every(({ windowMs }) => retryAfterMs > 2 * windowMs);
  }

  #applyGuard(now: Ms): void {
    if (this.#ledger.applyGuard(now)) this.#listener.guardChanged?.(this.#ledger.guardMs);
  }

  /** The slowest of the limits on requests. */
  #recoveryPace(): RecoveryPace | undefined {
    const paces = this.#ledger.limits
      .filter(({ unit }) => unit === "requests")
      .map(({ amount, windowMs }) => ({ gapMs: (windowMs + this.#ledger.guardMs) / amount, windowMs }));
    return paces.toSorted((a, b) => b.gapMs - a.gapMs)[0];
  }

  /** The server said that nothing is left until then. */
  #announced(now: Ms): Pause | undefined {
    const until = this.#clamps.dueAt({ requests: 1, tokens: 1 }, this.#ledger.sent, now);
    return until > now ? { reason: "announced", until, retryAfterMs: undefined } : undefined;
  }
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error
    ? reason
    : new DOMException("the request was aborted", { name: "AbortError", cause: reason });
}
