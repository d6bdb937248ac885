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

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000 && !condition(); turn++) await new Promise((resolve) => setImmediate(resolve));
  if (!condition()) throw new Error("the condition never came to hold");
}

async function usageOf(response: Response): Promise<number> {
  const { usage } = (await response.json()) as { usage: { total_tokens: number } };
  return usage.total_tokens;
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
    await until(() => limiter.stats().inFlight === 0);
    // Two answers say what they used; of the one that was refused the estimate stands.
    expect(limiter.stats()).toMatchObject({ sent: 3, tokens: (await usageOf(await second)) * 2 + 5, waiting: 0 });
    limiter.close();
  });
});

test("a request that is refused again and again is given back in the end", async () => {
  let calls = 0;
  const clock = new VirtualClock();
  const limiter = new RateLimiter({ limits: [], clock });
  const refuse = (): Promise<Response> => Promise.resolve(new Response("{}", { status: (calls += 1) > 0 ? 429 : 200 }));
  const ask = limitedFetch(limiter, { fetch: refuse, mostRetries: 4 });
  const state: { response?: Response } = {};
  void ask("http://h", QUESTION).then((response) => (state.response = response));
  await until(() => {
    clock.advance(1_000);
    return state.response !== undefined;
  });
  expect(state.response?.status).toBe(429);
  expect(calls).toBe(5);
  limiter.close();
});

test("a Request goes out again as well, body and all, and tells its tokens", async () => {
  const bodies: string[] = [];
  const limiter = new RateLimiter({ limits: ["1000tok/s"] });
  const send = async (input: string | URL | Request): Promise<Response> => {
    bodies.push(await new Request(input).text());
    const headers = { "retry-after-ms": "1" };
    return new Response("{}", bodies.length === 1 ? { status: 429, headers } : { status: 200 });
  };
  const seen: unknown[] = [];
  const tokensOf = (body: unknown): number => seen.push(body) * 100;
  const response = await limitedFetch(limiter, { fetch: send, tokensOf })(new Request("http://h", QUESTION));
  expect(response.status).toBe(200);
  expect(bodies).toEqual([QUESTION.body, QUESTION.body]);
  expect(seen).toEqual([JSON.parse(QUESTION.body)]);
  expect(limiter.stats()).toMatchObject({ sent: 2, tokens: 200, inFlight: 0 });
  limiter.close();
});

test("a body that can be read once goes out once", async () => {
  let calls = 0;
  const limiter = new RateLimiter({ limits: [] });
  const refuse = (): Promise<Response> => Promise.resolve(new Response("{}", { status: (calls += 1) > 0 ? 429 : 200 }));
  const body = new Blob(["{}"]).stream();
  const init: RequestInit & { duplex: "half" } = { method: "POST", body, duplex: "half" };
  expect((await limitedFetch(limiter, { fetch: refuse })("http://h", init)).status).toBe(429);
  expect(calls).toBe(1);
  limiter.close();
});

test("a guess at tokens that is no number is refused at once, and the limits hold on", async () => {
  await withModel(undefined, async (model, url) => {
    const limiter = new RateLimiter({ limits: ["1000tok/m"] });
    const ask = limitedFetch(limiter, { tokensOf: () => Number.NaN });
    await expect(ask(url, QUESTION)).rejects.toThrow("tokens must be a number from 0, got NaN");
    expect(model.stats().requests.completed).toBe(0);
    expect(limiter.stats()).toMatchObject({ sent: 0, tokens: 0 });
    limiter.close();
  });
});

test("a guess at tokens is not asked for where the body is no JSON", async () => {
  const limiter = new RateLimiter({ limits: [] });
  const guess = (): never => {
    throw new Error("asked");
  };
  const ask = limitedFetch(limiter, { tokensOf: guess, fetch: () => Promise.resolve(new Response("ok")) });
  expect((await ask("http://h", { method: "POST", body: "plain" })).status).toBe(200);
  limiter.close();
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
