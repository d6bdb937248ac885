import type { BatchRow } from "../input/row.ts";
import { equip, type SendOptions } from "./equipment.ts";
import { InputFeed } from "./feed.ts";
import type { RowResult } from "./result.ts";
import type { ResultSink } from "./runner.ts";
import type { BatchProgress, RunEnding, StopCause } from "./types.ts";

/** One request to send. */
export interface BatchRequest {
  /** Names it in its result. */
  readonly customId: string;
  /** The endpoint's path: `/v1/chat/completions`. */
  readonly url: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface BatchOptions extends SendOptions {
  readonly rows: Iterable<BatchRequest> | AsyncIterable<BatchRequest>;
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
 * throws `BatchStoppedError` where going on is of no use, the error of `rows` where that fails, and the reason of `signal`.
 * Throws RangeError for options that cannot be kept.
 */
export function runBatch(options: BatchOptions): BatchRun {
  const results = new ResultQueue();
  const feed = new InputFeed(oneByOne(options.rows));
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

async function* oneByOne(rows: BatchOptions["rows"]): AsyncGenerator<readonly BatchRow[]> {
  for await (const { customId, url, body } of rows) yield [{ customId, method: "POST", url, body }];
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
