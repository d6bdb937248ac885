import type { Cancel, Clock } from "../../../src/contracts/clock.ts";
import type { EpochMs, Ms } from "../../../src/core/units.ts";
import { VirtualClock } from "../../../src/testing/index.ts";

/** When a timer really runs that is due then. Never earlier. */
export type Lateness = (due: Ms) => Ms;

/** A virtual clock for promises: it moves from event to event, and whatever awaits one goes on at that instant. */
export class SteppingClock implements Clock {
  readonly #clock = new VirtualClock();
  readonly #lateness: Lateness;
  readonly #awake: Lateness;
  readonly #due = new Set<{ readonly at: Ms }>();
  /** How far the wall clock was moved by hand. */
  wallOffset: Ms = 0;

  /** `lateness` is that of timers, `awake` that of everything else that happens in the process. */
  constructor(lateness: Lateness = (due) => due, awake: Lateness = (due) => due) {
    this.#lateness = lateness;
    this.#awake = awake;
  }

  get pending(): number {
    return this.#clock.pending;
  }

  now(): Ms {
    return this.#clock.now();
  }

  wall(): EpochMs {
    return this.#clock.wall() + this.wallOffset;
  }

  after(delay: Ms, run: () => void): Cancel {
    return this.at(this.#lateness(this.now() + Math.max(0, delay)), run);
  }

  /** Something happens at that instant in the process which is no timer. */
  at(instant: Ms, run: () => void): Cancel {
    return this.inNetwork(this.#awake(Math.max(instant, this.now())) - this.now(), run);
  }

  /** Something happens outside of the process, which goes on whatever that does. */
  inNetwork(delay: Ms, run: () => void): Cancel {
    // As the clock rounds it.
    const entry = { at: this.now() + delay };
    this.#due.add(entry);
    const cancel = this.#clock.after(delay, () => {
      this.#due.delete(entry);
      run();
    });
    return () => {
      this.#due.delete(entry);
      cancel();
    };
  }

  /** Resolves at that instant. */
  until(instant: Ms): Promise<void> {
    return new Promise((resolve) => void this.at(instant, resolve));
  }

  /** Goes on until nothing is due any more, or up to `end`. */
  async play(end: Ms = Infinity): Promise<void> {
    await settled();
    while (this.#due.size > 0) {
      let next = Infinity;
      for (const { at } of this.#due) next = Math.min(next, at);
      if (next > end) break;
      this.#clock.runUntil(next);
      await settled();
    }
    if (end !== Infinity) this.#clock.runUntil(end);
  }
}

/** Lets everything run that waits for nothing but its turn. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
}

/** A process that stands still from `from` to `until`: no timer runs in between. */
export function stalledBetween(...stalls: readonly (readonly [from: Ms, until: Ms])[]): Lateness {
  return (due) => stalls.reduce((at, [from, until]) => (at >= from && at < until ? until : at), due);
}
