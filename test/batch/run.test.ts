import { describe, expect, it } from "vitest";

import type { BatchFileOptions } from "../../src/batch/run/batch-file-types.ts";
import type { BatchListener, Retry } from "../../src/batch/run/types.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { folder, ids, readRows, type Reply, row, rows, run, startServer, writeRows } from "./kit.ts";

function setUp(lines: readonly (object | string)[]): {
  readonly input: string;
  readonly out: string;
  readonly errors: string;
} {
  const { path } = folder();
  return { input: writeRows(path("in.jsonl"), lines), out: path("in.out.jsonl"), errors: path("in.out.errors.jsonl") };
}

describe("a batch", () => {
  it("sends every row once and writes what the server answered, member for member", async () => {
    const server = await startServer(({ name }) => ({
      body: `{\n  "id": "${name}",\n  "big": 12345678901234567890,\n  "usage": {"prompt_tokens": 1, "completion_tokens": 2}\n}`,
    }));
    const { input, out } = setUp(rows(20));
    const { ending, progress } = await run({ input, url: server.url });
    expect(ending).toEqual({ kind: "completed" });
    expect(progress).toMatchObject({ answered: 20, failed: 0, sent: 20, tokens: { input: 20, output: 40 } });
    expect([...ids(out)].sort()).toEqual(
      rows(20)
        .map((_, index) => `row ${index}`)
        .sort(),
    );
    const [line = {}] = readRows(out);
    expect(Object.keys(line)).toEqual(["id", "custom_id", "response", "error"]);
    expect(line).toMatchObject({
      error: null,
      response: { status_code: 200, request_id: `r-${String(line["custom_id"])}` },
    });
    const { readFileSync } = await import("node:fs");
    expect(readFileSync(out, "utf8")).toContain('"big": 12345678901234567890,');
  });

  it("sends the body as it stands, the key, and who it is", async () => {
    const server = await startServer();
    const { input } = setUp([row("a", { temperature: 0.5, seed: 7 })]);
    await run({ input, url: server.url, apiKey: "secret", headers: { "X-Team": "blue" } });
    const [call] = server.calls;
    expect(call?.path).toBe("/v1/chat/completions");
    expect(call?.body).toMatchObject({ model: "m", temperature: 0.5, seed: 7, max_tokens: 8 });
    expect(call?.headers).toMatchObject({
      authorization: "Bearer secret",
      "x-team": "blue",
      "x-headgate-client": "batch",
      "user-agent": expect.stringMatching(/^headgate-batch\//) as string,
    });
  });

  it("speaks Anthropic's API to whoever wants it", async () => {
    const server = await startServer(() => ({
      body: {
        type: "message",
        stop_reason: "end_turn",
        usage: { input_tokens: 3, cache_read_input_tokens: 4, output_tokens: 5 },
      },
    }));
    const { input, out } = setUp([{ prompt: "hello", max_tokens: 9 }]);
    const { progress } = await run({ input, url: server.url, api: "anthropic", apiKey: "k", model: "claude" });
    expect(server.calls[0]).toMatchObject({
      path: "/v1/messages",
      headers: { "x-api-key": "k", "anthropic-version": "2023-06-01" },
      body: { model: "claude", max_tokens: 9 },
    });
    expect(server.calls[0]?.headers.authorization).toBeUndefined();
    expect(progress.tokens).toEqual({ input: 7, output: 5 });
    expect(ids(out)).toEqual(["row-1"]);
  });

  it("tries again after 5xx, 408, 409 and broken connections, with growing pauses, and no more often than told", async () => {
    const faults: Readonly<Record<string, Reply>> = {
      overloaded: { status: 500 },
      slow: { status: 408 },
      busy: { status: 409 },
      broken: "reset",
      garbled: { body: "<html>" },
    };
    const server = await startServer(({ name, time }) => (time < 3 ? (faults[name] ?? {}) : {}));
    const clock = new VirtualClock();
    const { input, out } = setUp(Object.keys(faults).map((name) => row(name)));
    const retries: Retry[] = [];
    const listener: BatchListener = { retrying: (retry) => retries.push(retry) };
    const { progress } = await run({ input, url: server.url, clock, random: () => 0.999, listener });
    expect(progress).toMatchObject({ answered: 5, failed: 0, sent: 15 });
    expect(ids(out)).toHaveLength(5);
    for (const name of Object.keys(faults)) {
      const waits = retries.filter(({ row }) => row.customId === name).map(({ delayMs }) => Math.round(delayMs));
      expect(waits).toEqual([500, 999]);
    }
    expect(progress.retries).toEqual({ server_error: 6, network: 2, invalid_answer: 2 });
    expect(clock.pending).toBe(0);
  });

  it("writes rows that fail for good where they are valid input", async () => {
    const server = await startServer(({ name }) =>
      name === "never"
        ? { status: 500, body: { error: { message: "out of order", code: "oops" } } }
        : name === "wrong"
          ? { status: 400, body: { error: { message: "no such parameter", type: "invalid_request_error" } } }
          : name === "sly"
            ? { body: { error: { message: "provider is down" } } }
            : {},
    );
    const clock = new VirtualClock();
    const { input, out, errors } = setUp(["never", "wrong", "sly", "good"].map((name) => row(name)));
    const { progress } = await run({ input, url: server.url, clock, maxAttempts: 3 });
    expect(ids(out)).toEqual(["good"]);
    expect(progress.failures).toEqual({ server_error: 1, refused: 1, invalid_answer: 1 });
    expect(server.calls.filter(({ name }) => name === "never")).toHaveLength(3);
    expect(server.calls.filter(({ name }) => name === "wrong")).toHaveLength(1);
    const failed = readRows(errors).find((line) => line["custom_id"] === "never");
    expect(failed).toMatchObject({
      ...row("never"),
      response: { status_code: 500 },
      error: { code: "oops", message: "500: out of order" },
      cause: "server_error",
      attempts: 3,
    });
    const again = await run({
      input: errors,
      output: out.replace("in.", "again."),
      url: server.url,
      clock,
      maxAttempts: 1,
    });
    expect(again.progress.failed).toBe(3);
  });

  it("pauses all rows at a 429, for as long as it is told, and counts no attempt", async () => {
    const clock = new VirtualClock();
    const sentAt: number[] = [];
    const server = await startServer(({ time }) => {
      sentAt.push(clock.now());
      return time <= 8 ? { status: 429, headers: { "retry-after-ms": "3000" }, body: { error: "slow down" } } : {};
    });
    const { input, out } = setUp([row("a")]);
    const { ending, progress } = await run({ input, url: server.url, clock, maxAttempts: 2, concurrency: 1 });
    expect(ending).toEqual({ kind: "completed" });
    expect(ids(out)).toEqual(["a"]);
    expect(progress.retries).toEqual({ rate_limited: 8 });
    const gaps = sentAt.slice(1).map((at, index) => at - (sentAt[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(3_000);
  });

  it.each([
    ["a pause that is longer than allowed", { "retry-after": "1200" }],
    ["pauses that add up to more than allowed", { "retry-after": "240" }],
  ])("stops at %s, and leaves the rows for the next run", async (_, headers) => {
    const server = await startServer(() => ({ status: 429, headers, body: { error: "slow down" } }));
    const clock = new VirtualClock();
    const { input, out, errors } = setUp(rows(5));
    const { ending } = await run({ input, url: server.url, clock, maxPauseMs: 600_000 });
    expect(ending).toMatchObject({ kind: "stopped", why: "paused_too_long" });
    expect(ids(out)).toEqual([]);
    expect(ids(errors)).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it("adds up pauses, and not the time between them", async () => {
    const clock = new VirtualClock();
    const server = await startServer(async ({ time }) => {
      await new Promise<void>((resolve) => void clock.after(40_000, resolve));
      return time <= 5 ? { status: 429, headers: { "retry-after-ms": "10000" } } : {};
    });
    const { input } = setUp([row("a")]);
    const { ending } = await run({ input, url: server.url, clock, maxPauseMs: 59_000, concurrency: 1 });
    expect(ending).toEqual({ kind: "completed" });
    expect(clock.now()).toBeGreaterThan(5 * 50_000);
  });

  it("stops where so many rows have failed without a success in between", async () => {
    const server = await startServer(({ name }) =>
      Number(name.slice(4)) % 10 < 7 || Number(name.slice(4)) >= 20 ? { status: 404, body: { error: "no model" } } : {},
    );
    const { input, errors } = setUp(rows(100));
    const options: BatchFileOptions = { input, url: server.url, concurrency: 1 };
    const { ending, progress } = await run({ ...options, maxFailures: 10 });
    expect(ending).toMatchObject({ kind: "stopped", why: "too_many_failures" });
    expect(ending).toMatchObject({
      message: "10 rows have failed without a success in between, the last with 404: no model",
    });
    expect(progress).toMatchObject({ answered: 6, failed: 24 });
    expect(ids(errors)).toHaveLength(24);
  });

  it.each([
    [0, 150],
    [150, 150],
    [undefined, 100],
  ])("with a bound of %j failures has %i of 150", async (maxFailures, failed) => {
    const server = await startServer(() => ({ status: 404, body: {} }));
    const { input } = setUp(rows(150));
    const options: BatchFileOptions = { input, url: server.url, concurrency: 1 };
    const { ending, progress } = await run({ ...options, ...(maxFailures !== undefined && { maxFailures }) });
    expect(progress.failed).toBe(failed);
    // Nothing is left to stop for where the last row is the one too many.
    expect(ending.kind).toBe(failed === 150 ? "completed" : "stopped");
  });

  it.each([
    [401, { error: { message: "no such key", code: "invalid_api_key" } }, "unauthorized"],
    [429, { error: { message: "You exceeded your current quota", code: "insufficient_quota" } }, "quota"],
  ])("stops at %i with %j", async (status, body, why) => {
    const server = await startServer(({ name }) => (name === "row 3" ? { status, body } : {}));
    const { input, errors } = setUp(rows(100));
    const { ending, progress } = await run({ input, url: server.url, concurrency: 1 });
    expect(ending).toMatchObject({ kind: "stopped", why });
    expect(server.calls).toHaveLength(4);
    expect(progress.answered).toBe(3);
    expect(ids(errors)).toEqual([]);
  });

  it("lets a row fail that is forbidden, and goes on", async () => {
    const server = await startServer(({ name }) =>
      name === "row 1" ? { status: 403, body: { error: { message: "not your model" } } } : {},
    );
    const { input } = setUp(rows(4));
    const { ending, progress } = await run({ input, url: server.url, concurrency: 1 });
    expect(ending.kind).toBe("completed");
    expect(progress).toMatchObject({ answered: 3, failed: 1 });
  });

  it("stops where no server is, without a failed row", async () => {
    const { input, errors } = setUp(rows(50));
    const clock = new VirtualClock();
    const { ending } = await run({ input, url: "http://127.0.0.1:9/v1", clock });
    expect(ending).toMatchObject({ kind: "stopped", why: "unreachable" });
    expect(ids(errors)).toEqual([]);
  });

  it("gives up an answer that takes longer than the timeout", async () => {
    const server = await startServer(({ name }) => (name === "slow" ? new Promise<Reply>(() => {}) : {}));
    const clock = new VirtualClock();
    const { input, errors } = setUp([row("slow"), row("fast")]);
    const { progress } = await run({ input, url: server.url, clock, timeoutMs: 5_000, maxAttempts: 2 });
    expect(progress.failures).toEqual({ timeout: 1 });
    expect(ids(errors)).toEqual(["slow"]);
    expect(server.calls.filter(({ name }) => name === "slow")).toHaveLength(2);
  });

  it("stops before the cost goes above the most allowed", async () => {
    const server = await startServer();
    const { input } = setUp(rows(100));
    const options: BatchFileOptions = { input, url: server.url, price: { input: 1e6, output: 1e6 }, concurrency: 1 };
    // Each answer uses 15 tokens.
    const { ending, progress } = await run({ ...options, maxCost: 100 });
    expect(ending).toMatchObject({ kind: "stopped", why: "max_cost" });
    expect(progress.cost).toBeLessThanOrEqual(100);
    expect(progress.answered).toBeGreaterThanOrEqual(4);
  });

  it("fails a row that is larger than a limit, and sends the others", async () => {
    const server = await startServer();
    const { input } = setUp([row("big", { max_tokens: 5_000 }), row("small")]);
    const { progress } = await run({ input, url: server.url, limits: ["1000tok/m"], clock: new VirtualClock() });
    expect(progress.failures).toEqual({ over_limit: 1 });
    expect(progress.answered).toBe(1);
  });

  it("writes answers in the order of the input where that is asked, whatever the order of the answers", async () => {
    const held: (() => void)[] = [];
    const server = await startServer(({ name }) => {
      if (name !== "row 0") return {};
      return new Promise<Reply>((resolve) => held.push(() => resolve({})));
    });
    const { input, out } = setUp(rows(30));
    const listener: BatchListener = {
      finished: ({ row }) => {
        if (row.customId === "row 29") held[0]?.();
      },
    };
    await run({ input, url: server.url, order: "input", concurrency: 4, listener });
    expect(ids(out)).toEqual(rows(30).map((_, index) => `row ${index}`));
  });

  it("holds no more answers back for the order than it is ahead", async () => {
    const held: (() => void)[] = [];
    const server = await startServer(({ name }) => {
      if (name !== "row 0") return {};
      return new Promise<Reply>((resolve) => held.push(() => resolve({})));
    });
    const { input, out } = setUp(rows(1_500));
    let finished = 0;
    const listener: BatchListener = {
      finished: () => {
        finished += 1;
        if (finished === 999) held[0]?.();
      },
    };
    await run({ input, url: server.url, order: "input", concurrency: 4, listener });
    expect(ids(out)).toHaveLength(1_500);
    expect(ids(out)[0]).toBe("row 0");
  });

  it("begins the longest answers first where that is asked", async () => {
    const server = await startServer();
    const { input } = setUp([5, 500, 50].map((tokens) => row(`${tokens}`, { max_tokens: tokens })));
    await run({ input, url: server.url, schedule: "longest-first", concurrency: 1 });
    expect(server.calls.map(({ name }) => name)).toEqual(["500", "50", "5"]);
  });

  it("never has more requests open than the concurrency", async () => {
    let most = 0;
    const server = await startServer(async () => {
      most = Math.max(most, server.open);
      await new Promise((resolve) => setImmediate(resolve));
      return {};
    });
    const { input } = setUp(rows(200));
    await run({ input, url: server.url, concurrency: 7 });
    expect(most).toBeLessThanOrEqual(7);
    expect(most).toBeGreaterThan(1);
  });
});
