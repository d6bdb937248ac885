import { expect, test } from "vitest";

import { VirtualClock } from "../../../testing/index.ts";
import { createModelServer, type ModelServerOptions } from "../server.ts";

/** A window that outlasts the test. */
const LIMIT = { amount: 2, windowMs: 3_600_000, window: { kind: "first-hit" }, text: "2 per 1 hour" } as const;

const AT_ONCE = { leastMs: 0, mostMs: 0 };

async function withModel(
  options: Omit<ModelServerOptions, "preset">,
  body: (url: string) => Promise<void>,
): Promise<void> {
  const model = createModelServer({ preset: "instant", ...options });
  const port = await model.listen();
  try {
    await body(`http://127.0.0.1:${port}`);
  } finally {
    await model.close();
  }
}

function ask(url: string, path = "/v1/chat/completions", stream = false): Promise<Response> {
  const messages = [{ role: "user", content: "hello" }];
  return fetch(url + path, { method: "POST", body: JSON.stringify({ model: "m", max_tokens: 5, messages, stream }) });
}

test("what is beyond the limit is refused in slowapi's words, on every path for the model, and counted", async () => {
  await withModel({ latency: AT_ONCE, rateLimit: { ...LIMIT, retryAfter: false } }, async (url) => {
    expect((await ask(url)).status).toBe(200);
    expect((await ask(url, "/v1/messages")).status).toBe(200);
    const refusal = await ask(url);
    expect(refusal.status).toBe(429);
    expect(refusal.headers.get("retry-after")).toBeNull();
    expect(await refusal.text()).toBe('{"error":"Rate limit exceeded: 2 per 1 hour"}');
    expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    expect(await (await fetch(`${url}/sim/stats`)).json()).toMatchObject({
      requests: { completed: 2, failed: 0 },
      rate_limit: { refused: 1, worst_in_any_window: 3, limit: 2, window_ms: 3_600_000 },
    });
    const reset = await fetch(`${url}/sim/reset`, { method: "POST" });
    expect(await reset.json()).toMatchObject({ rate_limit: { refused: 0, worst_in_any_window: 0 } });
  });
});

test("a refusal says when to come back if it is told to, in whole seconds and one more", async () => {
  await withModel({ latency: AT_ONCE, rateLimit: { ...LIMIT, amount: 1, retryAfter: true } }, async (url) => {
    expect((await ask(url)).status).toBe(200);
    const seconds = Number((await ask(url)).headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(3_500);
    expect(seconds).toBeLessThanOrEqual(3_601);
  });
});

test("an answer takes a time drawn from the range, and the same seed draws the same", async () => {
  const draw = async (seed: number): Promise<readonly number[]> => {
    const times: number[] = [];
    const clock = new VirtualClock();
    const noting = {
      now: () => clock.now(),
      wall: () => clock.wall(),
      after: (delay: number, run: () => void) => {
        times.push(delay);
        return clock.after(0, run);
      },
    };
    await withModel({ clock: noting, seed, latency: { leastMs: 2_000, mostMs: 5_000 } }, async (url) => {
      for (const stream of [false, true, false]) {
        const asked = times.length;
        const answer = ask(url, "/v1/chat/completions", stream);
        while (times.length === asked) await new Promise((resolve) => setImmediate(resolve));
        clock.advance(0);
        expect((await (await answer).text()).length).toBeGreaterThan(10);
      }
    });
    return times;
  };
  const times = await draw(7);
  expect(times).toHaveLength(3);
  expect(new Set(times).size).toBe(3);
  for (const ms of times) expect(ms >= 2_000 && ms <= 5_000).toBe(true);
  expect(await draw(7)).toEqual(times);
});
