import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";
import type { Visit } from "../load/types.ts";
import type { Percentiles } from "../report/types.ts";
import { TimeHistogram } from "./histogram.ts";

/** A generator that is later than this with one in a hundred of what it does measures itself. Real time. */
const MOST_LAG_MS: Ms = 25;

const TICK_MS: Ms = 10;

/** In the first seconds code is loaded and compiled; of a run that is over then, only its requests tell. */
const FEW_TICKS = 500;

/**
 * How late the generator is, in real time: with its requests, and with a tick every 10 ms that tells whether answers were
 * read in time. Every tick that a stall swallows counts, each as late as it is: one long stall is not one late tick.
 */
export class LagWatch {
  readonly #clock: Clock;
  readonly #speed: number;
  readonly #send = new TimeHistogram();
  readonly #loop = new TimeHistogram();
  #cancel: Cancel = () => {};

  /** `clock` is the system's; visits are in scenario time, which runs `speed` times as fast. */
  constructor(clock: Clock, speed: number) {
    this.#clock = clock;
    this.#speed = speed;
  }

  start(): void {
    let dueAt = this.#clock.now() + TICK_MS;
    const tick = (): void => {
      const now = this.#clock.now();
      for (; dueAt <= now; dueAt += TICK_MS) this.#loop.record(now - dueAt);
      this.#cancel = this.#clock.after(dueAt - now, tick);
    };
    this.#cancel = this.#clock.after(TICK_MS, tick);
  }

  stop(): void {
    this.#cancel();
  }

  sent({ sentAt, plannedAt }: Visit): void {
    this.#send.record((sentAt - plannedAt) / this.#speed);
  }

  get sendLag(): Percentiles {
    return this.#send.percentiles();
  }

  get loopLag(): Percentiles {
    return this.#loop.percentiles();
  }
}

/** Why the figures of a generator with such lags cannot be trusted; empty where they can. */
export function doubts(sendLag: Percentiles, loopLag: Percentiles): readonly string[] {
  const late = (what: string, { p99 }: Percentiles): readonly string[] =>
    p99 !== null && p99 > MOST_LAG_MS
      ? [`the generator could not keep up: ${what} ${p99.toFixed(0)} ms late (p99; at most ${MOST_LAG_MS} ms)`]
      : [];
  return [...late("it sent", sendLag), ...(loopLag.count < FEW_TICKS ? [] : late("it read answers", loopLag))];
}
