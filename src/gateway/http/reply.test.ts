import { once } from "node:events";
import { createServer } from "node:http";

import { describe, expect, test } from "vitest";
import { z } from "zod";

import { OUTCOMES } from "../../core/outcome.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { type GateError, type ReplyContext, replyError } from "./reply.ts";

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly message: string;
}

const addressSchema = z.object({ port: z.number() });
const bodySchema = z.object({ error: z.object({ message: z.string() }) });

/** What a client gets for this error. */
async function reply(error: Partial<GateError>, context: Partial<ReplyContext> = {}): Promise<Reply> {
  const clock = new VirtualClock();
  const after = clock.after.bind(clock);
  const server = createServer((_, response) => {
    const given = { outcome: "queue_full", message: "Why.", ...error } as const;
    replyError(response, given, { surface: "openai", requestId: "r1", waitedMs: 0, after, ...context });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = addressSchema.parse(server.address());
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: "GET" });
    const text = await response.text();
    const headers = Object.fromEntries(response.headers);
    expect(headers["content-length"]).toBe(String(Buffer.byteLength(text)));
    return { status: response.status, headers, message: bodySchema.parse(JSON.parse(text)).error.message };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("an error of the gate's", () => {
  test("has the status of its outcome, unless told otherwise", async () => {
    expect((await reply({ outcome: "queue_full" })).status).toBe(503);
    expect((await reply({ outcome: "rate_limited" })).status).toBe(429);
    expect((await reply({ outcome: "invalid_request", status: 405 })).status).toBe(405);
    // An outcome without one is an error of the backend's.
    expect((await reply({ outcome: "backend_broke_stream" })).status).toBe(OUTCOMES.backend_failed.status);
  });

  test("names the outcome and the request", async () => {
    expect((await reply({ outcome: "no_backend" })).headers).toMatchObject({
      "content-type": "application/json",
      "x-headgate-outcome": "no_backend",
      "x-request-id": "r1",
    });
  });

  test("counts the length of its body in bytes", async () => {
    expect((await reply({ message: "\u00e9\u{1f600}" })).message).toBe("\u00e9\u{1f600}");
  });

  test("tells the wait in the queue in whole milliseconds, where there was one", async () => {
    expect((await reply({}, { waitedMs: 1_234.5 })).headers["x-headgate-queue-ms"]).toBe("1235");
    expect((await reply({}, { waitedMs: 0.4 })).headers).not.toHaveProperty("x-headgate-queue-ms");
  });
});

describe("the time to come back", () => {
  test.each([
    [0, 1, 1],
    [-5, 1, 1],
    [0.2, 1, 1],
    [1, 1, 1],
    [999.2, 1, 1_000],
    [1_000, 1, 1_000],
    [1_000.1, 2, 1_001],
    [12_000, 12, 12_000],
    [59_999.5, 60, 60_000],
  ])("of %d ms is %d s, at least 1, and %d ms, rounded up", async (retryAfterMs, seconds, milliseconds) => {
    const { headers, message } = await reply({ retryAfterMs });
    expect(headers["retry-after"]).toBe(String(seconds));
    expect(headers["retry-after-ms"]).toBe(String(milliseconds));
    expect(headers).not.toHaveProperty("x-should-retry");
    expect(message).toBe(`Why. Please try again in ${seconds}s.`);
  });

  test("above a minute asks clients not to retry by themselves", async () => {
    const { headers } = await reply({ outcome: "token_limited", retryAfterMs: 60_001 });
    expect(headers).toMatchObject({ "retry-after": "61", "retry-after-ms": "60001", "x-should-retry": "false" });
  });

  test("is not told where none is known", async () => {
    const { headers, message } = await reply({});
    for (const name of ["retry-after", "retry-after-ms", "x-should-retry"]) expect(headers).not.toHaveProperty(name);
    expect(message).toBe("Why.");
  });

  test("does not come for a body that is too large: no retry helps", async () => {
    expect((await reply({ outcome: "request_too_large" })).headers["x-should-retry"]).toBe("false");
  });
});

describe("the rate limit fields", () => {
  test("name the policy, what is left, and when", async () => {
    const { headers } = await reply({ retryAfterMs: 1_500, ceiling: { name: "concurrency", quota: 5, left: 0 } });
    expect(headers["ratelimit-policy"]).toBe('"concurrency";q=5;qu="concurrent-requests"');
    expect(headers["ratelimit"]).toBe('"concurrency";r=0;t=2');
  });

  test("leave out the time where none is known, and are left out where it is not about concurrency", async () => {
    expect((await reply({ ceiling: { name: "concurrency", quota: 5, left: 2 } })).headers["ratelimit"]).toBe(
      '"concurrency";r=2',
    );
    expect((await reply({ retryAfterMs: 5 })).headers).not.toHaveProperty("ratelimit");
  });
});

test("no message of the gate's can make a client stop for good", async () => {
  const stops = /exceeded (your|the current|the available).+quota|usage quota|quota exhausted|will reset at|billing/i;
  expect((await reply({ retryAfterMs: 5_000 })).message).not.toMatch(stops);
});
