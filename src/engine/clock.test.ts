import { expect, test } from "vitest";

import { systemClock } from "./clock.ts";

test("a call that is further away than a timer of Node can be does not come at once, and can be cancelled", async () => {
  let calls = 0;
  const cancels = [2 ** 31, 2 ** 40, Infinity].map((delay) => systemClock.after(delay, () => (calls += 1)));
  await new Promise<void>((resolve) => void systemClock.after(20, resolve));
  expect(calls).toBe(0);
  for (const cancel of cancels) cancel();
});
