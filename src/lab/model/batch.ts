import type { Ms, Tokens } from "../../core/units.ts";
import type { EngineConfig } from "./engine-types.ts";
import { promptWorkMs } from "./prompt-curve.ts";
import { isDecoding, knownTokens, missingTokens, type Sequence } from "./sequence.ts";

/** What one step computes. */
export interface StepPlan {
  readonly tokens: Tokens;
  readonly workMs: Ms;
  readonly members: readonly Sequence[];
}

interface Draft {
  tokens: Tokens;
  workMs: Ms;
}

/** A sequence that is this little from ready is ready: rounding. */
const TOLERANCE_MS = 1e-6;

/**
 * Who runs, who waits, and what the KV cache holds. Waiting sequences are admitted oldest first. Each running one gets a
 * token per step; what is left of the step's tokens goes to prompts.
 */
export class Batch {
  readonly #config: EngineConfig;
  readonly #onPreempt: () => void;
  readonly #waiting: Sequence[] = [];
  /** In order of admission: the youngest is last. */
  readonly #running: Sequence[] = [];
  #kvUsedTokens: Tokens = 0;

  constructor(config: EngineConfig, onPreempt: () => void) {
    this.#config = config;
    this.#onPreempt = onPreempt;
  }

  get running(): number {
    return this.#running.length;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get size(): number {
    return this.#running.length + this.#waiting.length;
  }

  get kvUsedTokens(): Tokens {
    return this.#kvUsedTokens;
  }

  /** From when on a step makes sense; `undefined` where there is nothing to do. */
  get readyAt(): Ms | undefined {
    return this.#running.length > 0 ? -Infinity : this.#waiting[0]?.readyAt;
  }

  add(sequence: Sequence): void {
    this.#waiting.push(sequence);
  }

  /** Takes a sequence out and frees its tokens. */
  remove(sequence: Sequence): void {
    const place = sequence.phase === "running" ? this.#running : this.#waiting;
    place.splice(place.indexOf(sequence), 1);
    this.#kvUsedTokens -= sequence.computedTokens + sequence.scheduledTokens;
    sequence.phase = "ended";
  }

  /** Puts a step together. What its members compute takes its place in the KV cache from now on. */
  plan(startMs: Ms): StepPlan {
    const { stepTokens } = this.#config;
    const draft: Draft = { tokens: 0, workMs: 0 };
    const mayAdmit = this.#makeRoom();
    for (const sequence of this.#running) if (isDecoding(sequence)) this.#schedule(sequence, draft);
    for (const sequence of this.#running) {
      if (sequence.scheduledTokens === 0 && draft.tokens < stepTokens) this.#schedule(sequence, draft);
    }
    if (mayAdmit) {
      while (draft.tokens < stepTokens && this.#headFits(startMs)) {
        const sequence = this.#waiting.shift();
        if (sequence === undefined) break;
        sequence.phase = "running";
        this.#running.push(sequence);
        this.#schedule(sequence, draft);
      }
    }
    return { tokens: draft.tokens, workMs: draft.workMs, members: this.#running.slice() };
  }

  /** Gives a sequence its token, or as much of its prompt as the step has room for. */
  #schedule(sequence: Sequence, draft: Draft): void {
    const { promptCurve, perSequenceMs, stepTokens } = this.#config;
    const { computedTokens } = sequence;
    const chunk = Math.min(missingTokens(sequence), stepTokens - draft.tokens);
    draft.workMs += isDecoding(sequence)
      ? perSequenceMs
      : promptWorkMs(promptCurve, computedTokens, computedTokens + chunk);
    draft.tokens += chunk;
    sequence.scheduledTokens = chunk;
    this.#kvUsedTokens += chunk;
  }

  /** Preempts the youngest until the next step of the others fits the KV cache. False if any had to leave. */
  #makeRoom(): boolean {
    const { stepTokens, kvTokens } = this.#config;
    let missing = 0;
    for (const sequence of this.#running) missing += missingTokens(sequence);
    let fits = true;
    while (this.#kvUsedTokens + Math.min(missing, stepTokens) > kvTokens) {
      const youngest = this.#running.pop();
      if (youngest === undefined) break;
      fits = false;
      missing -= missingTokens(youngest);
      this.#kvUsedTokens -= youngest.computedTokens;
      youngest.computedTokens = 0;
      youngest.phase = "waiting";
      this.#waiting.unshift(youngest);
      this.#onPreempt();
    }
    return fits;
  }

  /** Room is kept for one more token of every running sequence, or the newcomer would be preempted at once. */
  #headFits(startMs: Ms): boolean {
    const head = this.#waiting[0];
    if (head === undefined || head.readyAt > startMs + TOLERANCE_MS) return false;
    const running = this.#running.length;
    if (running >= this.#config.maxSequences) return false;
    return running === 0 || this.#kvUsedTokens + knownTokens(head) + running + 1 <= this.#config.kvTokens;
  }
}
