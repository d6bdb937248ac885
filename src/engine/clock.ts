import type { Cancel, Clock } from "../contracts/clock.ts";
import type { Random } from "../core/random.ts";
import type { Ms } from "../core/units.ts";

/** The one file that knows the system's time and chance. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (delay, run) => {
    if (delay > LONGEST_TIMER) return afterLong(delay, run);
    const timer = setTimeout(run, delay);
    return () => clearTimeout(timer);
  },
};

/** Node runs a longer timer at once. */
const LONGEST_TIMER: Ms = 2 ** 31 - 1;

/** `Infinity` never comes. */
function afterLong(delay: Ms, run: () => void): Cancel {
  let cancel = systemClock.after(LONGEST_TIMER, () => {
    cancel = systemClock.after(delay - LONGEST_TIMER, run);
  });
  return () => cancel();
}

export const systemRandom: Random = Math.random;
