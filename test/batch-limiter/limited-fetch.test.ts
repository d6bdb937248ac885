import { expect, test } from "vitest";

import { limitedFetch, RateLimiter } from "../../src/batch/index.ts";
import { createModelServer, type ModelServer, type ModelServerOptions } from "../../src/lab/model/server.ts";
import { VirtualClock } from "../../src/testing/index.ts";

const ONCE = { amount: 1, windowMs: 3_600_000, window: { kind: "first-hit" }, text: "1 per 1 hour" } as const;

async function withModel(
  rateLimit: ModelServerOptions["rateLimit"],
  body: (model: ModelServer, url: string) => Promise<void>,
): Promise<void> {
  const model = createModelServer({ preset: "instant", latency: { leastMs: 0, mostMs: 0 }, rateLimit });
  const port = await model.listen();
  try {
    await body(model, `http://127.0.0.1:${port}/v1/chat/completions`);
  } finally {
    await model.close();
  }
}

const QUESTION = {
  method: "POST",
  body: JSON.stringify({ model: "m", max_tokens: 5, messages: [{ role: "user", content: "hi" }] }),
};

test("a refused request goes out again when the pause is over, and is charged as often as it went out", async () => {
  await withModel({ ...ONCE, retryAfter: false }, async (model, url) => {
    const clock = new VirtualClock();
    let paused = (): void => {};
    const pause = new Promise<void>((resolve) => (paused = resolve));
    const limiter = new RateLimiter({ limits: [], clock, listener: { paused } });
    const ask = limitedFetch(limiter, { tokensOf: (body) => (body as { max_tokens: number }).max_tokens });
    expect((await ask(url, QUESTION)).status).toBe(200);
    const second = ask(url, QUESTION);
    await pause;
    model.reset();
    while (limiter.stats().waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_000);
    expect((await second).status).toBe(200);
    expect(limiter.stats()).toMatchObject({ sent: 3, tokens: 15, inFlight: 0, waiting: 0 });
    limiter.close();
  });
});

test("a server that wants more patience than there is has its refusal returned, with its body", async () => {
  await withModel({ ...ONCE, retryAfter: true }, async (_, url) => {
    const limiter = new RateLimiter({ limits: [], clock: new VirtualClock() });
    const ask = limitedFetch(limiter);
    await (await ask(url, QUESTION)).text();
    const refusal = await ask(url, QUESTION);
    expect(refusal.status).toBe(429);
    expect(await refusal.json()).toEqual({ error: "Rate limit exceeded: 1 per 1 hour" });
    limiter.close();
  });
});

test("whoever gives up while waiting sends nothing", async () => {
  await withModel(undefined, async (model, url) => {
    const limiter = new RateLimiter({ limits: ["1/h"], clock: new VirtualClock() });
    const ask = limitedFetch(limiter);
    await (await ask(url, QUESTION)).text();
    const leaving = new AbortController();
    const second = ask(url, { ...QUESTION, signal: leaving.signal });
    leaving.abort();
    await expect(second).rejects.toMatchObject({ name: "AbortError" });
    expect(model.stats().requests.completed).toBe(1);
    limiter.close();
  });
});
