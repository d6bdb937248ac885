import { Client } from "undici";

import type { Cancel, Clock } from "../../contracts/clock.ts";
import { isRecord, parseJson } from "../../core/json.ts";
import type { Ms } from "../../core/units.ts";
import type { ModelReading } from "../load/types.ts";
import { fetchText, SILENCE_MS } from "./fetch-text.ts";
import { readMetrics } from "./read-metrics.ts";
import { readTarget } from "./target.ts";

const EVERY_MS: Ms = 1_000;

export interface ModelWatchOptions {
  /** Of the model server. Its page of metrics is `/metrics`. */
  readonly url: string;
  /** The full URL of the page, where it is another one. */
  readonly page?: string;
  /** Scenario time. */
  readonly clock: Clock;
  /** When the run began, by the clock: readings count from here. */
  readonly origin: Ms;
  /** Whether it is ours, which counts for itself what happens to it (`/sim/peak`). */
  readonly isSimulated: boolean;
  /** Milliseconds of scenario time in one of the server's. Default 1. */
  readonly timeScale?: number;
  /** Hears of every reading as it comes. */
  readonly onReading?: (reading: ModelReading) => void;
}

/**
 * Asks a model once per second of scenario time what it says of itself, until it is stopped. One question at a time: a page
 * that hangs, as that of a wedged server does, is given up after some seconds and asked again, and what fails gives no reading.
 */
export class ModelWatch {
  readonly #options: ModelWatchOptions;
  readonly #base: string;
  readonly #page: string;
  readonly #readings: ModelReading[] = [];
  readonly #stopped = new AbortController();
  readonly #client: Client;
  readonly #pageClient: Client;
  #failures = 0;
  #cancel: Cancel | undefined;
  #reading: Promise<ModelReading | undefined> | undefined;

  /** Asks from now on. */
  constructor(options: ModelWatchOptions) {
    this.#options = options;
    const { origin, base } = readTarget(options.url);
    this.#base = origin + base;
    this.#page = options.page ?? `${this.#base}/metrics`;
    const silence = { headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS };
    this.#client = new Client(origin, silence);
    this.#pageClient = new Client(readTarget(this.#page).origin, silence);
    this.#poll();
  }

  get readings(): readonly ModelReading[] {
    return this.#readings;
  }

  /** Questions that brought no reading. */
  get failures(): number {
    return this.#failures;
  }

  /** A reading of now. `undefined` where there is none. */
  async read(): Promise<ModelReading | undefined> {
    // One that is under way may be older than the question.
    await this.#reading;
    return (this.#reading ??= this.#read());
  }

  /** Ends what is under way. No reading comes any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#cancel?.();
    await this.#reading;
    await Promise.all([this.#client.destroy(), this.#pageClient.destroy()]);
  }

  #poll(): void {
    if (this.#stopped.signal.aborted) return;
    const { clock, origin } = this.#options;
    // Lateness must not add up.
    const untilNext = EVERY_MS - ((clock.now() - origin) % EVERY_MS);
    this.#cancel = clock.after(untilNext, () => this.#poll());
    this.#reading ??= this.#read();
  }

  async #read(): Promise<ModelReading | undefined> {
    const { onReading } = this.#options;
    try {
      const reading = await this.#ask();
      if (this.#stopped.signal.aborted) return undefined;
      this.#readings.push(reading);
      onReading?.(reading);
      return reading;
    } catch {
      if (!this.#stopped.signal.aborted) this.#failures += 1;
      return undefined;
    } finally {
      this.#reading = undefined;
    }
  }

  async #ask(): Promise<ModelReading> {
    const { clock, origin, isSimulated, timeScale } = this.#options;
    const { signal } = this.#stopped;
    const page = await fetchText(this.#page, { dispatcher: this.#pageClient, signal });
    const reading = readMetrics(page, clock.now() - origin, timeScale);
    if (!isSimulated) return reading;
    const own = parseJson(
      await fetchText(`${this.#base}/sim/peak`, { method: "POST", dispatcher: this.#client, signal }),
    );
    return { ...reading, ...ownCounts(own) };
  }
}

function ownCounts(value: unknown): Pick<ModelReading, "peak" | "wedged"> {
  const { peak, wedged } = isRecord(value) ? value : {};
  return {
    peak: typeof peak === "number" ? peak : Number.NaN,
    wedged: typeof wedged === "boolean" ? wedged : undefined,
  };
}

/** Starts the counts of a simulated model again at zero, and ends a wedge. Rejects where there is none. */
export async function resetModel(url: string): Promise<void> {
  const { origin, base } = readTarget(url);
  const dispatcher = new Client(origin, { headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS });
  try {
    await fetchText(`${origin}${base}/sim/reset`, { method: "POST", dispatcher });
  } finally {
    await dispatcher.destroy();
  }
}
