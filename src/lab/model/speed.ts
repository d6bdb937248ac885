import type { Clock } from "../../contracts/clock.ts";

/** A clock on which time runs `speed` times as fast as on `clock`. */
export function speedUp(clock: Clock, speed: number): Clock {
  if (!(speed > 0) || !Number.isFinite(speed)) throw new RangeError(`speed must be a number above 0, got ${speed}`);
  if (speed === 1) return clock;
  const startNow = clock.now();
  const startWall = clock.wall();
  return {
    now: () => clock.now() * speed,
    wall: () => startWall + (clock.now() - startNow) * speed,
    after: (delay, run) => clock.after(delay / speed, run),
  };
}
