/**
 * Continuous batching, step by step. A step gives every running sequence one token or the next chunk of its prompt and
 * takes `stepBaseMs + perSequenceMs × decoding sequences + prompt work`. Waiting sequences join between steps, oldest
 * first. Steps follow each other on an ideal time line: a late timer delays when a token is heard of, never the next step.
 *
 * I1: KV tokens in use never exceed `kvTokens`, and are 0 when no sequence is left.
 * I2: every sequence hears `end` exactly once, unless the engine is wedged.
 * I3: at most one timer is set; none when there is nothing to do.
 * I4: when the KV cache is full the youngest running sequence gives up its tokens, goes to the front of the queue and
 *     later has its prompt and its output so far processed again.
 */
import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Random } from "../../core/random.ts";
import type { Ms } from "../../core/units.ts";
import { Batch, type StepPlan } from "./batch.ts";
import type {
  EngineConfig,
  EngineObserver,
  EngineState,
  SequenceEnding,
  SequenceHandle,
  SequenceListener,
  SequenceRequest,
} from "./engine-types.ts";
import { createSequence, missingTokens, type Sequence } from "./sequence.ts";

export interface EngineOptions {
  readonly config: EngineConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer?: EngineObserver;
}

interface Step {
  readonly plan: StepPlan;
  readonly startMs: Ms;
  readonly endMs: Ms;
}

/** How far ahead of its time a step may end, to absorb rounding. */
const TOLERANCE_MS = 1e-6;

/** Runs sequences on a clock, by the law at the top of this file. */
export class Engine {
  readonly config: EngineConfig;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #observer: EngineObserver | undefined;
  readonly #batch: Batch;
  #step: Step | undefined;
  /** When the last step ended. */
  #freeAt: Ms = -Infinity;
  #wedged = false;
  #advancing = false;
  #timer: { readonly at: Ms; readonly cancel: Cancel } | undefined;

  constructor({ config, clock, random, observer }: EngineOptions) {
    if (config.kvTokens < config.contextTokens) {
      throw new RangeError(`kvTokens must be at least contextTokens (${config.contextTokens}), got ${config.kvTokens}`);
    }
    if (config.stepTokens < config.maxSequences) {
      throw new RangeError(
        `stepTokens must be at least maxSequences (${config.maxSequences}), got ${config.stepTokens}`,
      );
    }
    this.config = config;
    this.#clock = clock;
    this.#random = random;
    this.#observer = observer;
    this.#batch = new Batch(config, () => observer?.preempted());
  }

  get state(): EngineState {
    const { running, waiting, kvUsedTokens } = this.#batch;
    return { running, waiting, kvUsedTokens, stepping: this.#step !== undefined, wedged: this.#wedged };
  }

  /** Queues a generation. Where steps take no time the listener hears everything, `end` included, before this returns. */
  submit(request: SequenceRequest, listener: SequenceListener): SequenceHandle {
    const sequence = createSequence(request, listener, { config: this.config, now: this.#clock.now() });
    this.#batch.add(sequence);
    if (this.#batch.size >= this.config.wedgeAtConcurrent) this.wedge();
    this.#advance();
    return { abort: () => this.#abort(sequence) };
  }

  /** From now on nothing moves: no token, no end but by abort. */
  wedge(): void {
    this.#wedged = true;
    this.#setTimer(undefined);
  }

  /** Ends a wedge; the sequences that are still here go on. */
  unwedge(): void {
    if (!this.#wedged) return;
    this.#wedged = false;
    this.#freeAt = this.#clock.now();
    if (this.#step !== undefined) this.#step = { ...this.#step, endMs: this.#freeAt };
    this.#advance();
  }

  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      for (let due = this.#nextDue(); isPast(due, this.#clock.now()); due = this.#nextDue()) {
        if (this.#step === undefined) this.#beginStep(due);
        else this.#endStep(this.#step);
      }
    } finally {
      this.#advancing = false;
      this.#setTimer(this.#nextDue());
    }
  }

  /** The end of the current step, or else the start of the next, or else nothing to do. */
  #nextDue(): Ms | undefined {
    if (this.#wedged) return undefined;
    if (this.#step !== undefined) return this.#step.endMs;
    const { readyAt } = this.#batch;
    return readyAt === undefined ? undefined : Math.max(this.#freeAt, readyAt);
  }

  #setTimer(at: Ms | undefined): void {
    if (this.#timer?.at === at) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (at === undefined) return;
    const cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      this.#timer = undefined;
      this.#advance();
    });
    this.#timer = { at, cancel };
  }

  #beginStep(startMs: Ms): void {
    const { stepBaseMs, idleWakeMs, stepJitter } = this.config;
    const wakeMs = Math.min(idleWakeMs, startMs - this.#freeAt);
    const plan = this.#batch.plan(startMs);
    const jitter = stepJitter === 0 ? 1 : 1 + stepJitter * (2 * this.#random() - 1);
    this.#step = { plan, startMs, endMs: startMs + (wakeMs + stepBaseMs + plan.workMs) * jitter };
  }

  #endStep({ plan, startMs, endMs }: Step): void {
    this.#step = undefined;
    this.#freeAt = endMs;
    this.#observer?.stepped(startMs, endMs, plan.tokens);
    for (const sequence of plan.members) {
      // A listener may have aborted it, just now or during the step.
      if (sequence.phase !== "running") continue;
      sequence.computedTokens += sequence.scheduledTokens;
      sequence.scheduledTokens = 0;
      if (missingTokens(sequence) === 0) this.#sample(sequence, endMs);
    }
  }

  #sample(sequence: Sequence, at: Ms): void {
    if (!sequence.prefilled) {
      sequence.prefilled = true;
      this.#observer?.prefilled(sequence.promptTokens);
    }
    if (sequence.maxTokens === 0) return this.#end(sequence, "length", at);
    sequence.generatedTokens += 1;
    if (sequence.generatedTokens === 1) {
      this.#observer?.firstToken(at - sequence.arrivedAt);
      sequence.listener.firstToken?.(at);
    } else {
      this.#observer?.nextToken(at - sequence.lastTokenAt);
    }
    sequence.lastTokenAt = at;
    sequence.listener.token?.(at);
    if (sequence.generatedTokens >= sequence.stopAfterTokens) this.#end(sequence, "stop", at);
    else if (sequence.generatedTokens >= sequence.maxTokens) this.#end(sequence, "length", at);
  }

  #abort(sequence: Sequence): void {
    if (sequence.phase === "ended") return;
    const now = this.#clock.now();
    this.#end(sequence, "aborted", now);
    if (this.#batch.size === 0) {
      this.#step = undefined;
      this.#freeAt = now;
    }
    this.#advance();
  }

  #end(sequence: Sequence, ending: SequenceEnding, at: Ms): void {
    if (sequence.phase === "ended") return;
    this.#batch.remove(sequence);
    this.#observer?.ended(ending, at - sequence.arrivedAt);
    sequence.listener.end(ending, at);
  }
}

function isPast(due: Ms | undefined, now: Ms): due is Ms {
  return due !== undefined && due <= now + TOLERANCE_MS;
}
