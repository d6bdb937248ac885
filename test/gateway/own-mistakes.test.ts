/** What becomes of a request in which the gate itself makes a mistake. */
import { expect, test } from "vitest";

import type { Clock } from "../../src/contracts/clock.ts";
import { systemClock } from "../../src/engine/clock.ts";
import { startBackend } from "./support/raw-backend.ts";
import { startSimpleGate } from "./support/raw-gate.ts";

test("a mistake of the gate's costs the request that it happened in, and no other", async () => {
  const backend = await startBackend();
  let looks = 0;
  const clock: Clock = {
    ...systemClock,
    // The first look of a request at the clock is its arrival, the second is in the gate.
    now: () => {
      looks += 1;
      if (looks === 2) throw new Error("a mistake");
      return systemClock.now();
    },
  };
  const { port, lines } = await startSimpleGate([backend.port], {}, { clock });
  looks = 0;
  const ask = (): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: "POST", body: '{"model":"m"}' });
  await expect(ask()).rejects.toThrow("fetch failed");
  expect(lines).toMatchObject([{ level: "error", message: "a request was dropped, by a mistake of the gate's own" }]);
  expect((await ask()).status).toBe(200);
});
