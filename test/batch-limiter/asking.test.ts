import { getEventListeners } from "node:events";

import { describe, expect, test } from "vitest";

import { bed, sendTimes } from "./support/bed.ts";

const NO_AMOUNTS = [Number.NaN, -1, Number.POSITIVE_INFINITY];

describe("a cost that is no number", () => {
  test.each(NO_AMOUNTS)("of %d tokens is refused, and the limits hold as before", async (tokens) => {
    const one = bed({ limits: ["100tok/s"], guardMs: 0 });
    await expect(one.limiter.acquire({ tokens })).rejects.toThrow(RangeError);
    await expect(one.limiter.acquire({ requests: tokens })).rejects.toThrow(`got ${tokens}`);
    const permits = Promise.all([one.limiter.acquire({ tokens: 100 }), one.limiter.acquire({ tokens: 100 })]);
    await one.clock.play();
    expect((await permits).map(({ at }) => at)).toEqual([0, 1_000]);
    expect(one.limiter.stats()).toMatchObject({ sent: 2, tokens: 200 });
  });

  test.each(NO_AMOUNTS)("told when it is settled, %d, leaves the estimate", async (tokens) => {
    const one = bed({ limits: ["100tok/s"], guardMs: 0 });
    const permit = await one.limiter.acquire({ tokens: 100 });
    expect(() => permit.settle(tokens)).toThrow(RangeError);
    expect(one.limiter.stats()).toMatchObject({ tokens: 100, inFlight: 0 });
    const next = one.limiter.acquire({ tokens: 1 });
    await one.clock.play();
    expect((await next).at).toBe(1_000);
  });

  test("is no history", () => {
    const history = [
      { at: 0, tokens: 1 },
      { at: 0, tokens: Number.NaN },
    ];
    expect(() => bed({ limits: ["1/s"], history })).toThrow("history[1]");
  });
});

describe("a signal", () => {
  test("that a thousand wait with has one listener, and none when they are through", async () => {
    const { signal } = new AbortController();
    const one = bed({ limits: ["1000/s"], guardMs: 0 });
    await sendTimes(one, 1_000);
    const permits = Promise.all(Array.from({ length: 1_000 }, () => one.limiter.acquire({}, { signal })));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await one.clock.play();
    expect(await permits).toHaveLength(1_000);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("sends all away who wait with it, and nobody else", async () => {
    const abort = new AbortController();
    const one = bed({ limits: ["1/s"], guardMs: 0 });
    await sendTimes(one, 1);
    const leaving = Array.from({ length: 50 }, () => one.limiter.acquire({}, { signal: abort.signal }));
    const staying = one.limiter.acquire({}, { signal: new AbortController().signal });
    abort.abort(new Error("enough"));
    const ends = await Promise.allSettled(leaving);
    expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(50);
    await one.clock.play();
    expect((await staying).at).toBe(1_000);
    expect(one.limiter.stats()).toMatchObject({ sent: 2, waiting: 0 });
  });
});

test("nobody waits for longer than an hour because others may have been busy", async () => {
  expect(await sendTimes(bed({ limits: ["100/d"], coldStart: "busy", guardMs: 0 }), 1)).toEqual([3_600_000]);
});
