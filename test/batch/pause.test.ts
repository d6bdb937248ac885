import { describe, expect, it } from "vitest";

import type { BatchFileOptions } from "../../src/batch/run/batch-file-types.ts";
import type { BatchListener } from "../../src/batch/run/types.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { folder, ids, readRows, row, rows, run, startServer, writeRows } from "./kit.ts";

describe("a pause that the server asks for", () => {
  it("is remembered by the next run: it stops at once, or waits for the rest", async () => {
    const clock = new VirtualClock();
    const server = await startServer(({ time }) =>
      time === 1 ? { status: 429, headers: { "retry-after-ms": "600000" }, body: {} } : {},
    );
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), [row("a")]);
    let until = 0;
    const listener: BatchListener = {
      paused: (pause) => {
        until ||= pause.until;
      },
    };
    const options: BatchFileOptions = { input, url: server.url, clock, maxPauseMs: 30_000, listener };
    const first = await run(options);
    expect(first.ending).toMatchObject({ kind: "stopped", why: "paused_too_long" });
    const second = await run(options);
    const said = new Date(clock.wall() - clock.now() + until).toISOString();
    expect(second.ending).toMatchObject({ kind: "stopped", why: "paused_too_long" });
    expect(second.ending).toMatchObject({ message: expect.stringContaining(said) as string });
    expect(server.calls).toHaveLength(1);

    const third = await run({ ...options, maxPauseMs: 900_000 });
    expect(third.ending).toEqual({ kind: "completed" });
    expect(clock.now()).toBeGreaterThanOrEqual(until);
    expect(server.calls).toHaveLength(2);
  });

  it("is remembered too where a success said that nothing is left, and a finished run has nothing to stop for", async () => {
    const clock = new VirtualClock();
    const headers = { "x-ratelimit-limit": "1", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "86400" };
    const server = await startServer(() => ({ headers }));
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(2));
    const options: BatchFileOptions = { input, url: server.url, clock };
    expect((await run({ ...options, concurrency: 1 })).ending).toMatchObject({ why: "paused_too_long" });
    expect((await run(options)).ending).toMatchObject({ why: "paused_too_long" });
    expect(server.calls).toHaveLength(1);
    // Who knows better says so.
    expect((await run({ ...options, force: true })).ending).toEqual({ kind: "completed" });
    expect(ids(path("in.out.jsonl"))).toEqual(["row 0", "row 1"]);
  });

  it("is nothing to remember once it is over", async () => {
    const clock = new VirtualClock();
    const server = await startServer(({ time }) =>
      time === 1 ? { status: 429, headers: { "retry-after-ms": "2000" }, body: {} } : {},
    );
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(1));
    const options: BatchFileOptions = { input, url: server.url, clock };
    expect((await run(options)).ending).toEqual({ kind: "completed" });
    const pauses = (): number => readRows(path("in.out.journal.jsonl")).filter((line) => "pause" in line).length;
    expect(pauses()).toBe(1);
    await run(options);
    expect(pauses()).toBe(0);
  });
});

it("keeps of a query in the address its names only: it may hold a key", async () => {
  const server = await startServer();
  const { path } = folder();
  const input = writeRows(path("in.jsonl"), rows(1));
  await run({ input, url: `${server.url}?api-version=1&key=secret` });
  expect(server.calls[0]?.path).toBe("/v1/chat/completions?api-version=1&key=secret");
  expect(JSON.stringify(readRows(path("in.out.journal.jsonl")))).not.toContain("secret");
});
