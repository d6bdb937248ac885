import type { Clock } from "../../contracts/clock.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { FailureCause, RowResult } from "../run/result.ts";
import type { BatchProgress, Price, Retry, RowEstimate } from "../run/types.ts";
import type { LimiterStats } from "../types.ts";
import { Latencies } from "./latencies.ts";
import { Moments } from "./moments.ts";
import { Recent } from "./recent.ts";

const RECENT_MS: Ms = 10_000;

/** What the tally cannot count by itself. */
export interface OutsideCounts {
  readonly total: number | undefined;
  readonly inFlight: number;
  readonly retrying: number;
  readonly limiter: LimiterStats;
}

/** Counts what a run does, in constant memory. */
export class Tally {
  readonly #clock: Clock;
  readonly #price: Price | undefined;
  readonly #spentBefore: number;
  readonly #began: Ms;
  readonly #finishes: Recent;
  readonly #latencies = new Latencies();
  readonly #failures: Partial<Record<FailureCause, number>> = {};
  readonly #retries: Partial<Record<Retry["cause"], number>> = {};
  /** Of single rows, for projections. */
  readonly input: Moments = new Moments();
  readonly output: Moments = new Moments();
  readonly latency: Moments = new Moments();
  #firstSend: Ms | undefined;
  #lastSend: Ms = 0;
  #answered = 0;
  #failed = 0;
  #sent = 0;
  #withoutUsage = 0;
  #cut = 0;

  /** `spentBefore`: what earlier runs spent. */
  constructor(clock: Clock, price: Price | undefined, spentBefore = 0) {
    this.#spentBefore = spentBefore;
    this.#clock = clock;
    this.#price = price;
    this.#began = clock.now();
    this.#finishes = new Recent(RECENT_MS, this.#began);
  }

  /** `again`: why the row had to go out once more; `undefined` the first time. */
  sent(again: Retry["cause"] | undefined): void {
    if (again !== undefined) this.#retries[again] = (this.#retries[again] ?? 0) + 1;
    const now = this.#clock.now();
    this.#firstSend ??= now;
    this.#lastSend = now;
    this.#sent += 1;
  }

  finished(result: RowResult, estimate: RowEstimate): void {
    this.#finishes.add(this.#clock.now());
    if (result.kind === "failed") {
      this.#failed += 1;
      this.#failures[result.cause] = (this.#failures[result.cause] ?? 0) + 1;
      return;
    }
    const { usage, latencyMs, isCut } = result;
    this.#answered += 1;
    if (isCut) this.#cut += 1;
    if (usage.input === undefined || usage.output === undefined) this.#withoutUsage += 1;
    this.input.add(usage.input ?? estimate.input);
    this.output.add(usage.output ?? estimate.output);
    this.latency.add(latencyMs);
    this.#latencies.add(latencyMs);
  }

  get answered(): number {
    return this.#answered;
  }

  /** What was spent so far, with what earlier runs spent; 0 without a price. */
  get spent(): number {
    return this.#spentBefore + (costOf(this.#price, this.input.sum, this.output.sum) ?? 0);
  }

  progress({ total, inFlight, retrying, limiter }: OutsideCounts): BatchProgress {
    const now = this.#clock.now();
    return {
      elapsedMs: now - this.#began,
      sendingMs: this.#lastSend - (this.#firstSend ?? this.#lastSend),
      total,
      answered: this.#answered,
      failed: this.#failed,
      failures: { ...this.#failures },
      retrying,
      inFlight,
      sent: this.#sent,
      retries: { ...this.#retries },
      tokens: { input: this.input.sum, output: this.output.sum },
      withoutUsage: this.#withoutUsage,
      cut: this.#cut,
      cost: costOf(this.#price, this.input.sum, this.output.sum),
      finishedPerSecond: this.#finishes.rate(now),
      latency: { p50: this.#latencies.at(0.5), p95: this.#latencies.at(0.95) },
      limiter,
    };
  }
}

/** What so many tokens cost; `undefined` without a price. */
export function costOf(price: Price | undefined, input: Tokens, output: Tokens): number | undefined {
  return price === undefined ? undefined : (input * price.input + output * price.output) / 1e6;
}
