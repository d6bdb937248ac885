/* How fast the runner is, and in how much memory: a million rows without a limit, and 50,000 at 2,000 a second. See ../../README.md. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { describeCommit, describeMachine } from "../../report/machine.ts";
import { build, COMPILED } from "./compiled.ts";
import { MemoryWatch } from "./memory-watch.ts";

interface Counts {
  readonly requests: number;
  /** In any second, by the server's clock. */
  readonly most: number;
  /** From the first request to the first of the last so many. */
  readonly beforeLastMs: number;
}

interface Outcome {
  readonly rows: number;
  readonly limit: string | null;
  readonly concurrency: number;
  readonly seconds: number;
  readonly rows_per_second: number;
  readonly peak_rss_mb: number;
  readonly server: { readonly requests: number; readonly most_in_any_second: number };
  /** Of the limit, until the last window began. */
  readonly share_of_limit: number | null;
  readonly exit_code: number | null;
}

const { values: flags } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string" } },
});
/** On one machine requests arrive within a few milliseconds; the default of 50 ms would cost 5% of each second. */
const GUARD = "18ms";
const scale = flags.quick ? 0.02 : 1;
const machine = describeMachine();
console.log(`${machine.cpu}, ${machine.cores} cores, Node ${process.version}, commit ${describeCommit()}`);
if (machine.load_before > 0.5) console.log(`others are at work on this machine (load ${machine.load_before})`);
build();
const folder = mkdtempSync(join(tmpdir(), "headgate-bench-batch-"));
try {
  const wants = (name: string): boolean => flags.only === undefined || flags.only === name;
  const unlimited = wants("unlimited") ? await measure(Math.round(1_000_000 * scale), undefined) : undefined;
  if (unlimited !== undefined) console.log(describe(unlimited));
  const limited = wants("limited") ? await measure(Math.round(50_000 * scale), 2_000) : undefined;
  if (limited !== undefined) console.log(describe(limited));
  if (!flags.quick && flags.only === undefined) {
    const results = new URL("../../results/", import.meta.url);
    mkdirSync(results, { recursive: true });
    const facts = { machine, date: new Date().toISOString(), node: process.version, commit: describeCommit() };
    const text = JSON.stringify({ ...facts, unlimited, limited }, undefined, 2);
    writeFileSync(new URL("batch-throughput.json", results), `${text}\n`);
    console.log("recorded in bench/results/batch-throughput.json");
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(rows: number, perSecond: number | undefined): Promise<Outcome> {
  const input = join(folder, `${rows}.jsonl`);
  await writeInput(input, rows);
  const server = fork(COMPILED.server, { execArgv: [] });
  const { port } = await nextMessage<{ readonly port: number }>(server);
  await warmUp(port);
  await countsOf(server);
  const concurrency = perSecond === undefined ? 64 : 100;
  const limit = perSecond === undefined ? undefined : `${perSecond}/s`;
  const args = [input, "--url", `http://127.0.0.1:${port}/v1`, "--concurrency", String(concurrency), "--json"];
  const run = spawn(
    process.execPath,
    [COMPILED.cli, "batch", ...args, ...(limit === undefined ? [] : ["--limit", limit, "--guard", GUARD])],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const began = performance.now();
  const watch = new MemoryWatch(run.pid ?? 0);
  const [code] = (await once(run, "exit")) as [number | null];
  const seconds = (performance.now() - began) / 1_000;
  watch.stop();
  const { requests, most, beforeLastMs } = await countsOf(server, perSecond);
  server.disconnect();
  const share =
    perSecond === undefined ? null : ((requests - perSecond) * 1_000) / (perSecond * Math.max(1, beforeLastMs));
  return {
    rows,
    limit: limit ?? null,
    concurrency,
    seconds: round(seconds),
    rows_per_second: Math.round(rows / seconds),
    peak_rss_mb: Math.round(watch.peakBytes / 1e6),
    server: { requests, most_in_any_second: most },
    share_of_limit: share === null ? null : round(share),
    exit_code: code,
  };
}

/** A server that has just started counts late: its code has not run yet. */
async function warmUp(port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/v1/chat/completions`;
  const ask = async (): Promise<void> => {
    for (let request = 0; request < 500; request++) await (await fetch(url, { method: "POST", body: "{}" })).text();
  };
  await Promise.all(Array.from({ length: 20 }, ask));
}

/** What the server has counted since it was asked last. */
async function countsOf(server: ChildProcess, lastWindow = 0): Promise<Counts> {
  const answer = nextMessage<Counts>(server);
  server.send({ lastWindow });
  return answer;
}

async function writeInput(path: string, rows: number): Promise<void> {
  const file = createWriteStream(path);
  for (let row = 0; row < rows; row++) {
    const messages = [{ role: "user", content: `Is ${row} a number? Answer with yes or no.` }];
    const body = { model: "m", messages, max_tokens: 8 };
    const line = `${JSON.stringify({ custom_id: `row-${row}`, method: "POST", url: "/v1/chat/completions", body })}\n`;
    if (!file.write(line)) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
}

async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, "message")) as [T];
  return message;
}

function describe(outcome: Outcome): string {
  const { rows, limit, seconds, rows_per_second: perSecond, peak_rss_mb: memory, server, exit_code: code } = outcome;
  const share = outcome.share_of_limit === null ? "" : `, ${(outcome.share_of_limit * 100).toFixed(1)}% of the limit`;
  return [
    `${rows} rows, ${limit ?? "no limit"}: ${seconds} s, ${perSecond} rows/s, ${memory} MB at most`,
    `  server: ${server.requests} requests, at most ${server.most_in_any_second} in any second${share}; exit ${code}`,
  ].join("\n");
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
