import type { Clock } from "../contracts/clock.ts";
import type { Random } from "../core/random.ts";

/** The one file that knows the system's time and chance. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (delay, run) => {
    const timer = setTimeout(run, delay);
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = Math.random;
