import type { ResultSink } from "../run/runner.ts";
import type { RowResult } from "../run/result.ts";
import type { LineSink } from "./appender.ts";
import { lineOf } from "./format.ts";
import { InOrder } from "./in-order.ts";

/** Where the lines of answers and of failures go, and in which order. */
export interface FileSinkOptions {
  readonly answers: LineSink;
  readonly failures: LineSink;
  /** So many rows may be ahead of the oldest that has not ended; `undefined`: lines stand in the order in which rows end. */
  readonly inOrderWithin: number | undefined;
}

/** Writes results to two files. */
export class FileSink implements ResultSink {
  readonly #options: FileSinkOptions;
  readonly #inOrder = new InOrder();

  constructor(options: FileSinkOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#options.answers.isFull || this.#options.failures.isFull;
  }

  deliver(result: RowResult, place: number): void {
    const { answers, failures, inOrderWithin } = this.#options;
    const line = lineOf(result);
    const write = (): void => (result.kind === "answered" ? answers : failures).append(line);
    if (inOrderWithin === undefined) write();
    else this.#inOrder.put(place, write);
  }

  isTooFar(place: number): boolean {
    const { inOrderWithin } = this.#options;
    return inOrderWithin !== undefined && place >= this.#inOrder.next + inOrderWithin;
  }

  async room(): Promise<void> {
    await this.#options.answers.room();
    await this.#options.failures.room();
  }

  /** Writes everything that was delivered. Rejects where that fails. */
  async close(): Promise<void> {
    this.#inOrder.flush();
    try {
      await this.#options.answers.close();
    } finally {
      await this.#options.failures.close();
    }
  }
}
