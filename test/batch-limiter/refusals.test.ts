import { describe, expect, test } from "vitest";

import type { Ms } from "../../src/core/units.ts";
import { bed, sendTimes } from "./support/bed.ts";

describe("a refusal", () => {
  const refusal = { status: 429, headers: {} };

  test("pauses everybody for 1, 2, 4 seconds in a row, and an answer ends the row", async () => {
    const one = bed({ limits: ["10/s"], guardMs: 0 });
    const waits: Ms[] = [];
    for (const status of [429, 429, 429, 200, 429]) {
      const [at = 0] = await sendTimes(one, 1);
      const seen = one.limiter.observe({ status, headers: {} });
      if (seen.kind === "paused") waits.push(seen.pause.until - at);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 1_000]);
    expect(one.heard.filter((word) => word === "resumed")).toHaveLength(3);
  });

  test("of requests that went out before the pause tell nothing new", async () => {
    const { limiter, heard } = bed({ limits: [], guardMs: 0 });
    const permits = await Promise.all([limiter.acquire(), limiter.acquire(), limiter.acquire()]);
    const seen = permits.map((permit) => limiter.observe(refusal, permit));
    for (const one of seen)
      expect(one).toMatchObject({ kind: "paused", pause: { until: 1_000, reason: "rate_limited" } });
    expect(heard).toEqual(["paused rate_limited until 1000"]);
  });

  test("that says for how long is obeyed to the full, with slack where it speaks in seconds", async () => {
    const one = bed({ limits: ["10/s"], guardMs: 20 });
    one.limiter.observe({ status: 429, headers: { "retry-after": "198300" } });
    expect(one.limiter.stats().paused).toMatchObject({ until: 198_300_000 + 2_500 + 20, retryAfterMs: 198_300_000 });
    const exact = bed({ limits: ["10/s"], guardMs: 20 });
    exact.limiter.observe({ status: 429, headers: { "retry-after-ms": "299", "retry-after": "1" } });
    expect(await sendTimes(exact, 1)).toEqual([319]);
  });

  test("that names a time is believed rather than what else it says is left", async () => {
    const one = bed({ limits: [], guardMs: 0 });
    const headers = { "retry-after-ms": "300", "ratelimit-remaining": "0", "ratelimit-reset": "30" };
    one.limiter.observe({ status: 429, headers });
    expect(await sendTimes(one, 1)).toEqual([300]);
  });

  test("comes back at the pace of the limits, not as a herd", async () => {
    const one = bed({ limits: ["10/s"], guardMs: 0 });
    one.limiter.observe({ status: 429, headers: { "retry-after-ms": "5000" } });
    const times = await sendTimes(one, 21);
    expect(times.slice(0, 11)).toEqual([5_000, 5_100, 5_200, 5_300, 5_400, 5_500, 5_600, 5_700, 5_800, 5_900, 6_000]);
    // A window later the limit alone counts again.
    expect(times.at(-1)).toBe(7_000);
  });

  test("without any limit on requests comes back with gaps that halve", async () => {
    const one = bed({ limits: [] });
    one.limiter.observe({ status: 529, headers: {} });
    const times = await sendTimes(one, 20);
    expect(times.slice(0, 4)).toEqual([1_000, 1_125, 1_187.5, 1_218.75]);
    expect(times.at(-1)).toBeLessThan(1_251);
  });

  test("by 503 pauses only if it says for how long; other errors never do", () => {
    const { limiter } = bed({ limits: [] });
    expect(limiter.observe({ status: 503, headers: {} })).toEqual({ kind: "ok", shouldRetry: undefined });
    expect(limiter.observe({ status: 500, headers: { "x-should-retry": "false" } })).toEqual({
      kind: "ok",
      shouldRetry: false,
    });
    expect(limiter.observe({ status: 503, headers: { "retry-after": "3" } })).toMatchObject({
      kind: "paused",
      pause: { reason: "overloaded", retryAfterMs: 3_000 },
    });
  });

  test("for quota or a key pauses nothing: it is the end", () => {
    const { limiter, heard } = bed({ limits: [] });
    const quota = { status: 429, headers: { "retry-after": "3" }, error: { error: { code: "insufficient_quota" } } };
    expect(limiter.observe(quota)).toEqual({ kind: "exhausted", why: "quota" });
    expect(limiter.observe({ status: 401, headers: {} })).toEqual({ kind: "exhausted", why: "unauthorized" });
    expect(heard).toEqual([]);
  });

  test("a pause by hand holds too, and a shorter one does not end a longer one", async () => {
    const one = bed({ limits: [], concurrency: 5 });
    one.limiter.pause({ reason: "announced", until: 700, retryAfterMs: undefined });
    one.limiter.pause({ reason: "overloaded", until: 300, retryAfterMs: undefined });
    expect(await sendTimes(one, 1)).toEqual([700]);
  });
});

describe("the guard", () => {
  test("begins at 50 ms, doubles with a refusal that nothing explains, and is a quarter of the window at most", async () => {
    const one = bed({ limits: ["2/s"] });
    expect(one.limiter.stats().guardMs).toBe(50);
    for (let episode = 0; episode < 4; episode++) {
      await sendTimes(one, 1);
      one.limiter.observe({ status: 429, headers: { "retry-after-ms": "1" } });
    }
    expect(one.heard.filter((word) => word.startsWith("guard"))).toEqual(["guard 100", "guard 199", "guard 250"]);
  });

  test("falls slowly", async () => {
    const one = bed({ limits: ["2/s"] });
    one.limiter.observe({ status: 429, headers: {} });
    expect(one.limiter.stats().guardMs).toBe(100);
    await one.clock.play(60_000);
    expect(one.limiter.stats().guardMs).toBe(75);
    await sendTimes(one, 1);
    one.limiter.observe({ status: 200, headers: {} });
    expect(one.heard.at(-1)).toBe("guard 75");
  });

  test("is not raised by a server that asks for far longer than any limit here explains, nor if it was told", () => {
    const unknown = bed({ limits: ["2/s"] });
    unknown.limiter.observe({ status: 429, headers: { "retry-after": "60" } });
    const told = bed({ limits: ["2/s"], guardMs: 10 });
    told.limiter.observe({ status: 429, headers: {} });
    expect([unknown.limiter.stats().guardMs, told.limiter.stats().guardMs]).toEqual([50, 10]);
  });

  test("of a short window is a quarter of it", async () => {
    expect(await sendTimes(bed({ limits: ["1/40ms"] }), 3)).toEqual([0, 50, 100]);
  });
});

describe("what a server says is left", () => {
  test("is an upper bound, less what was sent since, until its reset", async () => {
    const one = bed({ limits: ["100/s"], guardMs: 0 });
    const permits = await Promise.all([one.limiter.acquire(), one.limiter.acquire(), one.limiter.acquire()]);
    const headers = { "x-ratelimit-limit": "10", "x-ratelimit-remaining": "4", "x-ratelimit-reset": "5" };
    one.limiter.observe({ status: 200, headers }, permits[0]);
    // Two were sent since the first: two more, then none for five seconds.
    expect(await sendTimes(one, 4)).toEqual([0, 0, 5_000, 5_000]);
  });

  test("fills evenly where the reset is when it is full again", async () => {
    const one = bed({ limits: ["100/s"], guardMs: 0 });
    const permit = await one.limiter.acquire();
    const headers = { "x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0" };
    one.limiter.observe({ status: 200, headers: { ...headers, "x-ratelimit-reset-requests": "60s" } }, permit);
    expect(one.limiter.stats().paused).toMatchObject({ reason: "announced", until: 1_000 });
    expect(await sendTimes(one, 3)).toEqual([1_000, 2_000, 3_000]);
  });

  test("of one dimension holds back no other", async () => {
    const one = bed({ limits: [], guardMs: 0 });
    const headers = { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-remaining-requests": "50" };
    one.limiter.observe({ status: 200, headers });
    const [free, costly] = [one.limiter.acquire({ tokens: 0 }), one.limiter.acquire({ tokens: 9 })];
    await one.clock.play();
    expect([(await free).at, (await costly).at]).toEqual([0, 10_000]);
  });

  test("by an older request does not replace what a newer one was told", async () => {
    const one = bed({ limits: [], guardMs: 0 });
    const old = await one.limiter.acquire();
    await one.clock.play(100);
    const young = await one.limiter.acquire();
    const left = (remaining: string) => ({
      status: 200,
      headers: { "ratelimit-remaining": remaining, "ratelimit-reset": "9" },
    });
    one.limiter.observe(left("0"), young);
    one.limiter.observe(left("5"), old);
    expect(await sendTimes(one, 1)).toEqual([9_100]);
  });
});
