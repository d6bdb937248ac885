import type { BatchProgress } from "../../batch/run/types.ts";
import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";
import type { Palette, Terminal } from "../terminal.ts";
import { batchFrame, type BatchFrameFacts, batchJson, batchLine } from "./batch-frame.ts";

const REDRAW_MS: Ms = 250;
const LINE_MS: Ms = 10_000;
const JSON_MS: Ms = 1_000;
/** A line about nothing says nothing; after ten seconds of nothing people think that nothing happens. */
const FIRST_LINE_MS: Ms = 1_000;
/** Shorter pauses are the pacing of limits. */
const LEAST_PAUSE_MS: Ms = 500;

export interface BatchViewOptions {
  readonly mode: "bar" | "text" | "json" | "none";
  readonly progress: () => BatchProgress;
  readonly terminal: Terminal;
  readonly palette: Palette;
  readonly clock: Clock;
}

/** Shows how far a batch is, until it is stopped. */
export class BatchView {
  readonly #options: BatchViewOptions;
  #drawn = 0;
  #cancel: Cancel | undefined;
  #isDraining = false;
  #isStopped = false;
  #lastProblem: string | undefined;

  constructor(options: BatchViewOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, mode } = this.#options;
    if (mode === "none") return;
    const every = mode === "bar" ? REDRAW_MS : mode === "text" ? LINE_MS : JSON_MS;
    const tick = (): void => {
      this.#show();
      this.#cancel = clock.after(every, tick);
    };
    if (mode === "bar") tick();
    else this.#cancel = clock.after(Math.min(every, FIRST_LINE_MS), tick);
  }

  /** Shows the end: the last frame stays, and so does a last line for programs. Later calls do nothing. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancel?.();
    const { mode } = this.#options;
    if (mode === "bar" || mode === "json") this.#show();
  }

  problem(message: string): void {
    this.#lastProblem = message.replace(/\s+/g, " ");
  }

  draining(): void {
    this.#isDraining = true;
    const { mode, terminal, progress } = this.#options;
    if (mode === "bar") this.#show();
    else if (mode === "text")
      terminal.write(`stopping: waiting for ${progress().inFlight} in flight; once more to stop at once\n`);
  }

  #show(): void {
    const { mode, terminal, palette } = this.#options;
    const facts = this.#facts();
    if (mode === "text") terminal.write(`${batchLine(facts)}\n`);
    else if (mode === "json") terminal.write(`${batchJson(facts)}\n`);
    else {
      const lines = batchFrame(facts, palette);
      // One write: a terminal that shows half a frame flickers.
      const back = this.#drawn === 0 ? "" : `\u001B[${this.#drawn}A`;
      terminal.write(`${back}${lines.map((line) => `\u001B[2K${line}\n`).join("")}\u001B[J`);
      this.#drawn = lines.length;
    }
  }

  #facts(): BatchFrameFacts {
    const { progress, terminal, clock } = this.#options;
    const now = progress();
    const until = now.limiter.paused?.until ?? -Infinity;
    const wait = until - clock.now();
    return {
      progress: now,
      columns: terminal.columns ?? 80,
      pausedUntil: wait >= LEAST_PAUSE_MS && Number.isFinite(wait) ? clock.wall() + wait : undefined,
      lastProblem: this.#lastProblem,
      isDraining: this.#isDraining,
    };
  }
}
