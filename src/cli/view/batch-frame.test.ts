import { describe, expect, it } from "vitest";

import type { BatchSummary } from "../../batch/progress/summary.ts";
import type { BatchProgress } from "../../batch/run/types.ts";
import { VirtualClock } from "../../testing/index.ts";
import { paletteFor } from "../terminal.ts";
import { batchFrame, type BatchFrameFacts, batchJson, batchLine } from "./batch-frame.ts";
import { dryRunLines, projectionLines, summaryLines, wrapLines } from "./batch-summary.ts";
import { BatchView } from "./batch-view.ts";
import { widthOf } from "./frame.ts";

const palette = paletteFor(false);
const limit = { name: "2/s", unit: "requests", amount: 2, windowMs: 1_000, burst: undefined } as const;

function progress(more: Partial<BatchProgress> = {}): BatchProgress {
  return {
    elapsedMs: 3_240_000,
    sendingMs: 3_230_000,
    total: 10_000,
    answered: 6_380,
    failed: 32,
    failures: { refused: 32 },
    retrying: 5,
    inFlight: 50,
    sent: 6_467,
    retries: { rate_limited: 3 },
    tokens: { input: 412_345, output: 96_100 },
    withoutUsage: 0,
    cut: 0,
    cost: 1.234,
    finishedPerSecond: 1.98,
    latency: { p50: 2_100, p95: 4_400 },
    limiter: {
      sent: 6_467,
      tokens: 0,
      fullest: [{ limit, amount: 2 }],
      waiting: 1,
      inFlight: 50,
      paused: undefined,
      guardMs: 50,
      foundPerSecond: undefined,
    },
    ...more,
  };
}

function facts(more: Partial<BatchFrameFacts> = {}): BatchFrameFacts {
  return {
    progress: progress(),
    columns: 100,
    pausedUntil: undefined,
    lastProblem: undefined,
    isDraining: false,
    ...more,
  };
}

describe("the view of a batch", () => {
  it("shows how far it is, what happens, and how fast", () => {
    expect(batchFrame(facts({ lastProblem: "503: overloaded" }), palette).join("\n")).toMatchInlineSnapshot(`
      "  ███████████████████░░░░░░░░░░░  6,412 of 10,000  64%  54m, 30m 12s left
        6,380 ok  32 failed  5 retrying  50 in flight
        1.98/s of 2/s  412.3k tokens in, 96.1k out  $1.23  p50 2.1s, p95 4.4s
        last problem: 503: overloaded"
    `);
  });

  it("shows until when it is paused, and why", () => {
    const paused = { reason: "rate_limited", until: 0, retryAfterMs: 12_000 } as const;
    const now = progress({ limiter: { ...progress().limiter, paused } });
    const pausedUntil = new Date(2026, 10, 26, 12, 3, 41).getTime();
    expect(batchFrame(facts({ progress: now, pausedUntil }), palette).at(-1)).toBe(
      "  paused until 12:03:41 (429, retry-after 12s)",
    );
  });

  it("has a short bar in a narrow terminal, and shows where a line is cut", () => {
    const frame = batchFrame(facts({ columns: 50 }), paletteFor(true));
    expect(frame.map((line) => widthOf(line))).toEqual([48, 47, 50]);
    // oxlint-disable-next-line no-control-regex -- colours
    const plain = frame.map((line) => line.replace(/\u001B\[\d+m/g, ""));
    expect(plain.join("\n")).toMatchInlineSnapshot(`
      "  ███░░  6,412 of 10,000  64%  54m, 30m 12s left
        6,380 ok  32 failed  5 retrying  50 in flight
        1.98/s of 2/s  412.3k tokens in, 96.1k out  $1.…"
    `);
  });

  it("leaves the bar out of a very narrow terminal, and never writes beyond its edge", () => {
    const frame = batchFrame(facts({ columns: 32, isDraining: true }), palette);
    expect(frame.join("\n")).toMatchInlineSnapshot(`
      "  6,412 of 10,000  64%  54m
        6,380 ok  32 failed  5 retryi…
        1.98/s of 2/s  412.3k tokens …
        stopping: waiting for 50 in f…"
    `);
    expect(Math.max(...frame.map((line) => line.length))).toBeLessThanOrEqual(32);
  });

  it("counts rows where nobody knows how many there are", () => {
    expect(batchFrame(facts({ progress: progress({ total: undefined }) }), palette)[0]).toBe("  6,412 rows  54m");
  });

  it("is one line in a log, and JSON for programs", () => {
    expect(batchLine(facts())).toMatchInlineSnapshot(
      `"6,412 of 10,000  64%  6380 ok, 32 failed, 5 retrying, 50 in flight  1.98/s of 2/s  412.3k tokens in, 96.1k out  $1.23  elapsed 54m  left 30m 12s"`,
    );
    expect(batchJson(facts())).toMatchInlineSnapshot(
      `"{"total":10000,"answered":6380,"failed":32,"retrying":5,"in_flight":50,"requests":6467,"tokens":{"input":412345,"output":96100},"cost":1.234,"elapsed_ms":3240000,"left_ms":1812121,"rows_per_second":1.98,"paused_until":null,"stopping":false}"`,
    );
  });
});

describe("BatchView", () => {
  it("draws over the same lines four times a second, and leaves the last frame", () => {
    const clock = new VirtualClock();
    const written: string[] = [];
    const terminal = { isTTY: true, columns: 80, write: (text: string) => written.push(text) };
    const view = new BatchView({ mode: "bar", progress, terminal, palette, clock });
    view.start();
    clock.advance(1_000);
    expect(written).toHaveLength(5);
    expect(written.slice(1).every((text) => text.startsWith("\u001B[3A\u001B[2K"))).toBe(true);
    view.stop();
    view.stop();
    expect(written).toHaveLength(6);
    expect(clock.pending).toBe(0);
  });

  it("writes a line after a second, and then every ten where there is no terminal", () => {
    const clock = new VirtualClock();
    const written: string[] = [];
    const terminal = { write: (text: string) => written.push(text) };
    const view = new BatchView({ mode: "text", progress, terminal, palette, clock });
    view.start();
    clock.advance(1_000);
    expect(written).toHaveLength(1);
    clock.advance(29_999);
    view.stop();
    expect(written).toHaveLength(3);
    expect(clock.pending).toBe(0);
  });
});

describe("the summary", () => {
  const summary: BatchSummary = {
    ended: "completed",
    stopped: null,
    rows: { answered: 9_968, failed: 32, answered_before: 0, failed_before: 0, bad_lines: 0, left: 0 },
    failures: { refused: 30, timeout: 2 },
    requests: 10_017,
    retries: { rate_limited: 3, server_error: 14 },
    wall_ms: 5_250_000,
    rows_per_second: 1.904,
    limits: [
      { limit: "2/s", unit: "requests", used: 0.953, most_in_any_window: 2, allowed: 2, window_ms: 1_000 },
      { limit: "1Mtok/m", unit: "tokens", used: 0.12, most_in_any_window: 161_000, allowed: 1e6, window_ms: 60_000 },
    ],
    guard_ms: 50,
    found_per_second: null,
    tokens: { input: 412_345, output: 196_100, answers_without_usage: 4 },
    cut_answers: 7,
    cost: 1.234,
    cost_before: null,
    latency_ms: { p50: 2_100, p95: 4_400 },
    files: {
      output: "prompts.out.jsonl",
      errors: "prompts.out.errors.jsonl",
      bad_lines: null,
      journal: "prompts.out.journal.jsonl",
    },
  };

  it("tells what became of the rows, how the limits were kept, and where everything is", () => {
    expect(summaryLines(summary, palette).join("\n")).toMatchInlineSnapshot(`
      "  done       9,968 answered, 32 failed
                   30 refused by the server (4xx)
                   2 timed out
        requests   10,017; sent again: 3 refused for the rate (429), 14 server errors (5xx)
        limit      2/s: 95.3% used, never more than 2 requests in any second
        limit      1Mtok/m: 12.0% used, never more than 161,000 tokens in any minute
        time       1h 27m, 1.90 rows/s
        answers    half within 2.1s, 95% within 4.4s; 7 ended at their bound or in a filter
        tokens     412,345 in, 196,100 out (estimated for 4 answers that do not say)
        cost       $1.23
        output     prompts.out.jsonl
        failures   prompts.out.errors.jsonl, which is valid input

        --retry-failed sends the failed rows again"
    `);
  });

  it("says nothing of limits and tokens where nothing was sent", () => {
    const rows = { ...summary.rows, answered: 0, failed: 0, answered_before: 500 };
    const latency = { p50: null, p95: null };
    const idle = {
      ...summary,
      rows,
      failures: {},
      requests: 0,
      retries: {},
      latency_ms: latency,
      cost: 0,
      cost_before: 2,
    };
    expect(summaryLines({ ...idle, files: { ...summary.files, errors: null } }, palette).join("\n"))
      .toMatchInlineSnapshot(`
      "  done       0 answered, 500 answered before
        requests   none
        time       1h 27m, 1.90 rows/s
        cost       $0.00, and $2.00 before
        output     prompts.out.jsonl"
    `);
  });

  it("tells a busy server from a limit, what auto has come to, and rows that were sent once", () => {
    const retries = { rate_limited: 2, overloaded: 5 };
    const lines = summaryLines({ ...summary, retries, found_per_second: 18.34 }, palette);
    expect(lines).toContain(
      "  requests   10,017; sent again: 2 refused for the rate (429), 5 refused for the load (503, 529)",
    );
    expect(lines).toContain("  auto       up to 18.34 requests a second at the end");
    expect(summaryLines({ ...summary, retries: {} }, palette)).toContain("  requests   10,017, each row once");
  });

  it("breaks its lines at words where the terminal is narrow", () => {
    const lines = wrapLines(summaryLines(summary, paletteFor(true)), 50);
    expect(Math.max(...lines.map((line) => widthOf(line)))).toBeLessThanOrEqual(50);
    // oxlint-disable-next-line no-control-regex -- colours
    const plain = lines.map((line) => line.replace(/\u001B\[\d+m/g, ""));
    expect(plain.slice(3, 6).join("\n")).toMatchInlineSnapshot(`
      "  requests   10,017; sent again: 3 refused for the
                   rate (429), 14 server errors (5xx)
        limit      2/s: 95.3% used, never more than 2"
    `);
    expect(wrapLines(lines, undefined)).toEqual(lines);
  });

  it("says why it stopped, and what to do", () => {
    const stopped = { why: "quota", message: "429: You exceeded your current quota" } as const;
    expect(
      summaryLines({ ...summary, ended: "stopped", stopped, rows: { ...summary.rows, left: 17 } }, palette).slice(-3),
    ).toEqual([
      "",
      "  the quota is used up: 429: You exceeded your current quota",
      "  the same command goes on from here",
    ]);
  });

  it("tells what a batch would take", () => {
    const plan = {
      rows: 10_000,
      answered_before: 120,
      failed_before: 0,
      bad_lines: 0,
      left: 9_880,
      tokens: { input: 400_000, output: 2_500_000 },
      cost: 1.56,
      minimum_ms: 5_186_000,
      problem: null,
    };
    expect(dryRunLines(plan, palette).join("\n")).toMatchInlineSnapshot(`
      "  rows       10,000, 120 of them finished before
        to send    9,880
        tokens     about 400k in, 2.5M out
        cost       about $1.56
        time       1h 26m from the first request to the last, at least
                   nothing was sent"
    `);
  });

  it("tells what a sample says of all rows", () => {
    const projection = {
      sampled: 50,
      rows: 10_000,
      input_tokens: { value: 412_000, low: 398_000, high: 426_000 },
      output_tokens: { value: 960_000, low: 900_000, high: 1_020_000 },
      cost: { value: 1.2, low: 1.1, high: 1.3 },
      duration_ms: { value: 5_200_000, low: 5_100_000, high: 5_300_000 },
    };
    expect(projectionLines(projection, palette).join("\n")).toMatchInlineSnapshot(`
      "  all left   10,000 rows, told from 50 at random; 95% confidence
        tokens     412k (398k to 426k) in, 960k (900k to 1M) out
        cost       $1.20 ($1.10 to $1.30)
        time       1h 26m (1h 25m to 1h 28m)"
    `);
  });
});
