import type { Clock } from "../../../contracts/clock.ts";
import type { Random } from "../../../core/random.ts";
import type { Ms } from "../../../core/units.ts";
import type { EngineObserver, SequenceHandle, SequenceListener, SequenceRequest } from "../engine-types.ts";

/** Both ends belong to the range. */
export interface LatencyRange {
  readonly leastMs: Ms;
  readonly mostMs: Ms;
}

export interface LatencyOptions {
  readonly range: LatencyRange;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: EngineObserver;
  /** Where neither the request nor the text ends. */
  readonly contextTokens: number;
}

/** In place of an engine: answers whole after a time drawn evenly from a range, however many others there are. */
export class Latency {
  readonly #options: LatencyOptions;

  constructor(options: LatencyOptions) {
    this.#options = options;
  }

  submit(request: SequenceRequest, listener: SequenceListener): SequenceHandle {
    const { range, clock, random, observer, contextTokens } = this.#options;
    const delay = range.leastMs + random() * (range.mostMs - range.leastMs);
    const { promptTokens, maxTokens, stopAfterTokens = Infinity } = request;
    const tokens = Math.min(maxTokens, stopAfterTokens, contextTokens - promptTokens);
    let isOver = false;
    const cancel = clock.after(delay, () => {
      isOver = true;
      const now = clock.now();
      observer.prefilled(promptTokens);
      if (tokens > 0) observer.firstToken(delay);
      if (tokens > 0) listener.firstToken?.(now);
      for (let token = 0; token < tokens; token++) {
        if (token > 0) observer.nextToken(0);
        listener.token?.(now);
      }
      const ending = stopAfterTokens <= tokens ? "stop" : "length";
      observer.ended(ending, delay);
      listener.end(ending, now);
    });
    return {
      abort: () => {
        if (isOver) return;
        isOver = true;
        cancel();
        observer.ended("aborted", 0);
        listener.end("aborted", clock.now());
      },
    };
  }
}
