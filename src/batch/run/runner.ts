/*
 * THE LAW
 *
 * R1  A row is sent when the limiter gives a permit for it, and not before. Retries need one like everything else.
 * R2  A row ends once: with an answer, with a failure, or not at all where the run ends before. What has not ended is asked
 *     again by the next run.
 * R3  An attempt counts if the server could have worked on it. A 429, or a refusal that says when to come back, does not:
 *     it pauses the lane for all, and the row goes first when that is over.
 * R4  Without a success in between, pauses add up to `maxPauseMs` at most, and `maxFailures` rows fail; then the run stops. No
 *     announced wait is cut short.
 * R5  A row whose attempts never reached the server has not failed: the server is not there, and the run stops.
 * R6  What is read ahead, waits for another attempt, or waits for the disk is bounded.
 * R7  `drain` lets what is in flight end; `abort` gives it up. Afterwards no timer and no connection is left.
 */
import type { Clock } from "../../contracts/clock.ts";
import type { Random } from "../../core/random.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import { asError } from "../as-error.ts";
import { LimitExceededError } from "../limiter/errors.ts";
import type { Limiter, Observation } from "../limiter/types.ts";
import { costOf, type Tally } from "../progress/tally.ts";
import { backoff } from "../transport/backoff.ts";
import { judge, type Judgement } from "../transport/judge.ts";
import type { Reception, Transport } from "../transport/transport.ts";
import { isCut, usageOf } from "../transport/usage.ts";
import type { Permit } from "../types.ts";
import { Delayed } from "./delayed.ts";
import type { Estimates } from "./estimates.ts";
import type { FedRow, Feed } from "./feed.ts";
import { Patience, type PatienceOptions } from "./patience.ts";
import { stopCauseOf } from "./stop-cause.ts";
import type { RowResult } from "./result.ts";
import type { BatchListener, BatchProgress, Price, Retry, RowEstimate, RunEnding } from "./types.ts";

/** Where results go. */
export interface ResultSink {
  /** `place`: the how-manieth row of the run it is. */
  deliver(result: RowResult, place: number): void;
  /** Whether rows so far on may not start yet. */
  isTooFar(place: number): boolean;
  readonly isFull: boolean;
  /** Resolves when results may come again. Rejects where they can go nowhere. */
  room(): Promise<void>;
}

/** What a runner works with. It owns none of it. */
export interface RunnerOptions {
  readonly feed: Feed;
  readonly sink: ResultSink;
  readonly limiter: Limiter;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly tally: Tally;
  readonly estimates: Estimates;
  /** From 1. */
  readonly maxAttempts: number;
  readonly patience: PatienceOptions;
  readonly price: Price | undefined;
  readonly maxCost: number | undefined;
  readonly total: number | undefined;
  readonly listener: BatchListener;
  /** Whether it matters when exactly a request goes out. */
  readonly hasLimits: boolean;
  /** Called just before a request goes out, with what is reserved for it. Returns what hears of the tokens that it used. */
  readonly noteSend: (estimate: RowEstimate) => (tokens: Tokens) => void;
}

interface Task extends FedRow {
  readonly estimate: RowEstimate;
  attempts: number;
  latencyMs: Ms;
  /** Why it has to go out again. */
  again?: Retry["cause"];
}

/** So many rows may wait for another attempt before no new ones are begun. */
const MOST_DELAYED = 1_000;

const UNASKED_PAUSE_MS: Ms = 1_000;

/** There is no Date after that. */
const LAST_DATE = 8.64e15;

/**
 * undici writes a request on a connection that was used before when the event loop has turned once. Many sends within one long
 * turn would go out late, all at its end, and closer to the next than the limit allows.
 */
const MOST_PER_TURN = 2;

/** Sends rows until there are none left, or it is told to stop. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #delayed: Delayed<Task>;
  /** Refused by the server's limits; they go first. */
  readonly #refused: Task[] = [];
  readonly #stop = new AbortController();
  readonly #patience: Patience;
  #ending: RunEnding | undefined;
  #error: unknown;
  #inFlight = 0;
  #reserved = 0;
  #wake: () => void = () => {};
  #filling = false;
  /** A row waits for its permit. */
  #isAsking = false;
  /** Rows of the input that were begun. */
  #begun = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#patience = new Patience(options.patience);
    this.#delayed = new Delayed(options.clock, () => this.#wake());
  }

  /** Resolves when nothing is in flight any more. Rejects where the input cannot be read or a result cannot be written. */
  async run(): Promise<RunEnding> {
    try {
      await this.#options.transport.open();
      await this.#dispatch();
    } catch (error) {
      this.#error ??= error;
      this.#ending ??= { kind: "drained" };
    }
    while (this.#inFlight > 0) await this.#change();
    this.#delayed.clear();
    await this.#options.feed.close();
    if (this.#error !== undefined) throw asError(this.#error);
    return this.#ending ?? { kind: "completed" };
  }

  /** Begins nothing more. */
  drain(): void {
    this.#end({ kind: "drained" });
  }

  /** Begins nothing more, and gives up what is in flight. */
  abort(): void {
    if (this.#ending?.kind === "drained" || this.#ending === undefined) this.#ending = { kind: "aborted" };
    this.#options.transport.abort();
    this.#stop.abort();
    this.#wake();
  }

  /** Ends the run as failed: a result could not be written. */
  fail(error: unknown): void {
    this.#error ??= error;
    this.#end({ kind: "drained" });
  }

  progress(): BatchProgress {
    const { tally, total, limiter } = this.#options;
    const retrying = this.#delayed.size + this.#refused.length;
    return tally.progress({ total, inFlight: this.#inFlight, retrying, limiter: limiter.stats() });
  }

  async #dispatch(): Promise<void> {
    const { limiter, sink } = this.#options;
    for (let sent = 1; ; sent++) {
      if (sink.isFull) await sink.room();
      if (this.#options.hasLimits && sent % MOST_PER_TURN === 0) await nextTurn();
      const task = await this.#next();
      if (task === undefined) return;
      if (this.#hasFailedTooOften() || this.#wouldCostTooMuch(task)) return;
      let permit: Permit;
      try {
        this.#isAsking = true;
        if (this.#inFlight === 0) this.#stopForLongPause();
        permit = await limiter.acquire(task.estimate.cost, { signal: this.#stop.signal });
      } catch (error) {
        if (this.#ending !== undefined) return;
        if (!(error instanceof LimitExceededError)) throw error;
        this.#fail(task, { cause: "over_limit", message: error.message, answer: undefined });
        continue;
      } finally {
        this.#isAsking = false;
      }
      if (this.#ending !== undefined || this.#hasFailedTooOften()) {
        permit.settle(0);
        return;
      }
      this.#attempt(task, permit).catch((error: unknown) => this.fail(error));
    }
  }

  /** What is to be sent next; waits for it. `undefined`: nothing is left, or the run ends. */
  async #next(): Promise<Task | undefined> {
    const { feed, sink } = this.#options;
    for (;;) {
      if (this.#ending !== undefined) return undefined;
      const again = this.#refused.shift() ?? this.#delayed.take();
      if (again !== undefined) return again;
      const mayBegin = this.#delayed.size < MOST_DELAYED && !(sink.isTooFar(this.#begun) && this.#inFlight > 0);
      const fed = mayBegin ? feed.take() : undefined;
      if (fed !== undefined) return this.#begin(fed);
      if (mayBegin && !feed.ended) this.#fill();
      else if (feed.ended && this.#inFlight + this.#delayed.size + this.#refused.length === 0) return undefined;
      await this.#change();
    }
  }

  #begin({ row, place }: FedRow): Task {
    this.#begun = place + 1;
    return { row, place, estimate: this.#options.estimates.of(row), attempts: 0, latencyMs: 0 };
  }

  /** Reads on beside everything else: a slow input must not hold up a retry. */
  #fill(): void {
    if (this.#filling) return;
    this.#filling = true;
    this.#options.feed.fill().then(
      () => {
        this.#filling = false;
        this.#wake();
      },
      (error: unknown) => this.fail(error),
    );
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #hasFailedTooOften(): boolean {
    const message = this.#patience.exhausted;
    if (message === undefined) return false;
    this.#end({ kind: "stopped", why: "too_many_failures", message });
    return true;
  }

  #wouldCostTooMuch({ estimate }: Task): boolean {
    const { price, maxCost, tally } = this.#options;
    if (maxCost === undefined) return false;
    const expected = costOf(price, estimate.input, estimate.output) ?? 0;
    if (tally.spent + this.#reserved + expected <= maxCost) return false;
    this.#end({ kind: "stopped", why: "max_cost", message: `the next row would bring the cost above ${maxCost}` });
    return true;
  }

  async #attempt(task: Task, permit: Permit): Promise<void> {
    const { transport, clock, limiter, tally, listener, noteSend, price } = this.#options;
    const { row, estimate } = task;
    const expected = costOf(price, estimate.input, estimate.output) ?? 0;
    this.#inFlight += 1;
    this.#reserved += expected;
    task.attempts += 1;
    const noteUsed = noteSend(estimate);
    tally.sent(task.again);
    listener.sent?.(row, task.attempts);
    const began = clock.now();
    try {
      const reception = await transport.send(row.url, JSON.stringify(row.body));
      task.latencyMs = clock.now() - began;
      const judgement = judge(reception);
      const observation = observe(limiter, { reception, judgement, permit });
      const used = usedTokens(judgement);
      permit.settle(used);
      if (used !== undefined) noteUsed(used);
      this.#reserved -= expected;
      this.#conclude(task, judgement, observation);
    } finally {
      permit.settle();
      this.#inFlight -= 1;
      if (this.#inFlight === 0 && this.#isAsking) this.#stopForLongPause();
      this.#wake();
    }
  }

  /** A server may say, without refusing anything, that nothing is left until tomorrow. Or it said so to an earlier run. */
  #stopForLongPause(): void {
    const { limiter, clock, patience } = this.#options;
    const { paused } = limiter;
    const now = clock.now();
    if (paused === undefined || paused.until - now <= patience.maxPauseMs) return;
    // For the next run.
    limiter.pause({ ...paused, reason: "announced" });
    const until = new Date(Math.min(clock.wall() + paused.until - now, LAST_DATE)).toISOString();
    this.#end({
      kind: "stopped",
      why: "paused_too_long",
      message: `the server has nothing left for us until ${until}`,
    });
  }

  #conclude(task: Task, judgement: Judgement, observation: Observation): void {
    if (judgement.kind === "aborted") return;
    if (judgement.kind === "success") {
      this.#patience.succeeded(this.#options.clock.now());
      return this.#succeed(task, judgement.answer);
    }
    const { cause, message, answer, reached } = judgement;
    const why = stopCauseOf(observation, answer?.statusCode);
    if (why !== undefined) return this.#end({ kind: "stopped", why, message });
    if (observation.kind === "paused" && judgement.kind === "retry")
      return this.#pause(task, judgement, observation.pause.until);
    if (answer?.statusCode === 429) return this.#pause(task, judgement, this.#pauseUnasked());
    const mayRetry = judgement.kind === "retry" && task.attempts < this.#options.maxAttempts;
    if (mayRetry) {
      const delayMs = backoff(task.attempts, this.#options.random);
      this.#tellRetry(task, { cause, message, delayMs });
      this.#delayed.put(task, delayMs);
    } else if (!reached) this.#end({ kind: "stopped", why: "unreachable", message });
    else this.#fail(task, { cause, message, answer });
  }

  /** The lane stands still; the attempt does not count. */
  #pause(task: Task, { message, answer }: Extract<Judgement, { message: string }>, until: Ms): void {
    const cause = answer?.statusCode === 429 ? "rate_limited" : "overloaded";
    const now = this.#options.clock.now();
    task.attempts -= 1;
    this.#tellRetry(task, { cause, message, delayMs: Math.max(0, until - now) });
    this.#refused.push(task);
    if (!this.#patience.paused(until, now)) this.#end({ kind: "stopped", why: "paused_too_long", message });
  }

  /** A refusal is a reason to wait, whatever the limiter made of it. */
  #pauseUnasked(): Ms {
    const until = this.#options.clock.now() + UNASKED_PAUSE_MS;
    this.#options.limiter.pause({ reason: "rate_limited", until, retryAfterMs: undefined });
    return until;
  }

  #tellRetry(task: Task, facts: Pick<Retry, "cause" | "message" | "delayMs">): void {
    task.again = facts.cause;
    const { row, attempts } = task;
    this.#options.listener.retrying?.({ row, attempts, ...facts });
  }

  #succeed(task: Task, answer: Extract<Judgement, { kind: "success" }>["answer"]): void {
    const usage = usageOf(answer.body);
    this.#options.estimates.learn(task.row, usage);
    const { row, attempts, latencyMs } = task;
    const cut = isCut(answer.body);
    this.#finish(task, { kind: "answered", row, attempts, latencyMs, answer, usage, isCut: cut });
  }

  #fail(task: Task, failure: Pick<Extract<RowResult, { kind: "failed" }>, "cause" | "message" | "answer">): void {
    const { row, attempts, latencyMs } = task;
    this.#patience.failed(failure.message);
    this.#finish(task, { kind: "failed", row, attempts, latencyMs, ...failure });
  }

  #finish({ estimate, place }: Task, result: RowResult): void {
    const { tally, listener, sink } = this.#options;
    tally.finished(result, estimate);
    sink.deliver(result, place);
    listener.finished?.(result);
  }

  #end(ending: RunEnding): void {
    this.#ending ??= ending;
    this.#stop.abort();
    this.#wake();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function observe(
  limiter: Limiter,
  facts: { readonly reception: Reception; readonly judgement: Judgement; readonly permit: Permit },
): Observation {
  const { reception, judgement, permit } = facts;
  if (reception.kind !== "answered") return { kind: "ok", shouldRetry: undefined };
  const { status, headers } = reception;
  const error = judgement.kind === "retry" || judgement.kind === "final" ? judgement.answer?.body : undefined;
  return limiter.observe({ status, headers, error }, permit);
}

function usedTokens(judgement: Judgement): number | undefined {
  if (judgement.kind !== "success") return undefined;
  const { input, output } = usageOf(judgement.answer.body);
  return input === undefined || output === undefined ? undefined : input + output;
}
