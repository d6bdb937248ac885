import { equip, type SendOptions } from "./equipment.ts";
import { InputFeed } from "./feed.ts";
import { isSource, requestRows, type RequestSource } from "./request-rows.ts";
import type { RowResult } from "./result.ts";
import type { ResultSink } from "./runner.ts";
import type { BatchProgress, RunEnding, StopCause } from "./types.ts";

export interface BatchOptions extends SendOptions {
  /** Read as requests go out: one row ahead of what is in flight, 1,000 with `schedule: "longest-first"`. */
  readonly rows: RequestSource;
  /** Gives up what is in flight; the iteration throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The results of a batch as they come, in no order. Iterate it once; leaving the loop gives up what is in flight. */
export interface BatchRun extends AsyncIterable<RowResult> {
  progress(): BatchProgress;
  /** Begins nothing more; the iteration ends when what is in flight has. */
  drain(): void;
}

/** A run stopped with rows left that it did not ask. */
export class BatchStoppedError extends Error {
  override readonly name = "BatchStoppedError";
  readonly why: StopCause;

  constructor(why: StopCause, message: string) {
    super(message);
    this.why = why;
  }
}

/** So many results may wait for their reader before no more requests go out. */
const MOST_UNREAD = 1_000;

/**
 * Sends all rows under the limits, and yields their results. A row that fails is a result like any other; the iteration
 * throws `BatchStoppedError` where going on is of no use, the error of `rows` where that fails, RangeError for a row that is none
 * or whose customId was there before, and the reason of `signal`. Throws RangeError for options that cannot be kept.
 */
export function runBatch(options: BatchOptions): BatchRun {
  if (!isSource(options.rows)) throw new RangeError("rows must be a list or a generator of requests");
  const results = new ResultQueue();
  const feed = new InputFeed(requestRows(options.rows));
  const { runner, close } = equip(options, { feed, sink: results, total: lengthOf(options.rows) });
  return {
    progress: () => runner.progress(),
    drain: () => runner.drain(),
    async *[Symbol.asyncIterator](): AsyncGenerator<RowResult> {
      const { signal } = options;
      const onAbort = (): void => runner.abort();
      if (signal?.aborted === true) onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
      const ended = runner.run();
      ended.then(
        () => results.close(),
        () => results.close(),
      );
      try {
        yield* results.read();
        const ending = await ended;
        signal?.throwIfAborted();
        throwIfStopped(ending);
      } finally {
        runner.abort();
        results.discard();
        signal?.removeEventListener("abort", onAbort);
        await ended.catch(() => {});
        await close();
      }
    },
  };
}

function throwIfStopped(ending: RunEnding): void {
  if (ending.kind === "stopped") throw new BatchStoppedError(ending.why, ending.message);
}

function lengthOf(rows: BatchOptions["rows"]): number | undefined {
  return Array.isArray(rows) ? rows.length : undefined;
}

/** Results between the runner and whoever iterates. */
class ResultQueue implements ResultSink {
  #results: RowResult[] = [];
  #closed = false;
  #discards = false;
  #came: () => void = () => {};
  #left: () => void = () => {};

  get isFull(): boolean {
    return this.#results.length >= MOST_UNREAD;
  }

  deliver(result: RowResult): void {
    if (!this.#discards) this.#results.push(result);
    this.#came();
  }

  isTooFar(): boolean {
    return false;
  }

  async room(): Promise<void> {
    while (this.isFull) await new Promise<void>((resolve) => (this.#left = resolve));
  }

  close(): void {
    this.#closed = true;
    this.#came();
  }

  /** Nobody reads any more. */
  discard(): void {
    this.#discards = true;
    this.#results = [];
    this.#left();
  }

  async *read(): AsyncGenerator<RowResult> {
    for (;;) {
      const results = this.#results;
      this.#results = [];
      this.#left();
      yield* results;
      if (this.#results.length > 0) continue;
      if (this.#closed) return;
      await new Promise<void>((resolve) => (this.#came = resolve));
    }
  }
}
