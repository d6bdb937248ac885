import { expect, test } from "vitest";

import { VirtualClock } from "../../testing/virtual-clock.ts";
import { speedUp } from "./speed.ts";

test("a faster clock calls after simulated time and shows it", () => {
  const clock = new VirtualClock();
  const fast = speedUp(clock, 50);
  const startWall = fast.wall();
  const ranAt: number[] = [];
  fast.after(100, () => ranAt.push(fast.now()));
  const cancel = fast.after(100, () => ranAt.push(-1));
  cancel();
  clock.advance(4);
  expect(fast.now()).toBe(200);
  expect(fast.wall() - startWall).toBe(200);
  expect(ranAt).toEqual([100]);
});

test("speed 1 is the clock itself", () => {
  const clock = new VirtualClock();
  expect(speedUp(clock, 1)).toBe(clock);
});

test("a speed that is no number above 0 is refused", () => {
  for (const speed of [0, -1, Number.NaN, Infinity])
    expect(() => speedUp(new VirtualClock(), speed)).toThrow(RangeError);
});
