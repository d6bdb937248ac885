import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, it } from "vitest";

import { readJournal } from "../../src/batch/journal/journal.ts";
import { openBatch } from "../../src/batch/run/batch-file.ts";
import type { BatchFileOptions } from "../../src/batch/run/batch-file-types.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { folder, ids, row, rows, run, startServer, until, writeRows } from "./kit.ts";

const NOWHERE = "http://127.0.0.1:9/v1";

async function refusalOf(options: Omit<BatchFileOptions, "url">): Promise<unknown> {
  const opened = await openBatch({ ...options, url: NOWHERE });
  if (opened.kind === "refused") return opened.refusal;
  await opened.batch.close();
  return undefined;
}

/** All that stands in a folder. */
function contents(path: string): Readonly<Record<string, string>> {
  return Object.fromEntries(readdirSync(path).map((name) => [name, readFileSync(`${path}/${name}`, "utf8")]));
}

describe("the files of a batch", () => {
  it.each([
    "out.jsonl",
    "out.errors.jsonl",
    "out.bad-lines.jsonl",
    "out.journal.jsonl",
    "out.summary.json",
    "out.lock",
  ])("are not the input: %s, by whatever name", async (name) => {
    const { path } = folder();
    const file = writeRows(path(name), rows(1));
    symlinkSync(file, path("symbolic.jsonl"));
    linkSync(file, path("hard.jsonl"));
    const before = contents(path("."));
    for (const input of [file, path("symbolic.jsonl"), path("hard.jsonl")]) {
      const refusal = await refusalOf({ input, output: path("out.jsonl"), force: true, retryFailed: true });
      expect(refusal).toMatchObject({ kind: "unsuitable" });
      expect(JSON.stringify(refusal)).toMatch(/INPUT is (?:OUTPUT itself|one of the files)/);
    }
    expect(contents(path("."))).toEqual(before);
  });

  it.each([
    ["in.out.summary.json", '{"mine": true}\n'],
    ["in.out.bad-lines.jsonl", "my notes\n"],
    ["in.out.journal.jsonl", "dear diary\n"],
    ["in.out.errors.jsonl", '{"id":"mine"}\n'],
  ])("are not another program's: %s", async (name, text) => {
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(1));
    writeFileSync(path(name), text);
    const before = contents(path("."));
    expect(await refusalOf({ input, force: true, retryFailed: true })).toMatchObject({
      kind: "unsuitable",
      message: `${path(name)} is no file that headgate batch has written; move it away, or give another OUTPUT with -o`,
    });
    expect(contents(path("."))).toEqual(before);
  });

  it("must be files", async () => {
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(1));
    expect(await refusalOf({ input, output: "/dev/null" })).toMatchObject({
      kind: "unsuitable",
      message:
        "/dev/null must be a file: a run goes on from what it finds there; -o - writes answers to standard output",
    });
    // May be one, and have others beside it.
    expect(await refusalOf({ input, output: "/dev/fd/../stdout" })).toMatchObject({ kind: "unsuitable" });
    mkdirSync(path("folder"));
    expect(await refusalOf({ input, output: path("folder") })).toMatchObject({ kind: "unsuitable" });
    expect(await refusalOf({ input: path("folder") })).toMatchObject({
      kind: "unreadable",
      message: `cannot read ${path("folder")}: it is a folder`,
    });
    expect(await refusalOf({ input: "/dev/null", output: path("out.jsonl") })).toMatchObject({
      kind: "unsuitable",
      message: "/dev/null is no file that can be read twice; give - as INPUT, and it as standard input: < /dev/null",
    });
    expect(readdirSync(path(".")).sort()).toEqual(["folder", "in.jsonl"]);
  });

  it("are told by their names where they cannot be read or written, and nothing is left behind", async () => {
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(1));
    expect(await refusalOf({ input: path("nothing.jsonl") })).toEqual({
      kind: "unreadable",
      message: `cannot read ${path("nothing.jsonl")}: there is no such file or folder`,
    });
    expect(await refusalOf({ input, output: path("nowhere/out.jsonl") })).toEqual({
      kind: "unreadable",
      message: `cannot write ${path("nowhere/out.lock")}: there is no such file or folder`,
    });
    expect(await refusalOf({ input, output: path("in.jsonl/out.jsonl") })).toMatchObject({ kind: "unreadable" });
    expect(readdirSync(path("."))).toEqual(["in.jsonl"]);
  });

  it("are missed where somebody removes them during the run", async () => {
    const { path } = folder();
    const server = await startServer(() => {
      rmSync(path("in.out.jsonl"), { force: true });
      return {};
    });
    const input = writeRows(path("in.jsonl"), rows(3));
    await expect(run({ input, url: server.url })).rejects.toThrow(`${path("in.out.jsonl")} was removed or replaced`);
    expect(existsSync(path("in.out.lock"))).toBe(false);
  });

  it("are gone on with, however long the lines are that were written", async () => {
    const server = await startServer();
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(2));
    await run({ input, url: server.url });
    const [first = "", ...others] = readFileSync(path("in.out.jsonl"), "utf8").split("\n");
    const longer = first.replace('"content":"', `"content":"${"x".repeat(70 * 1024 * 1024)}`);
    writeFileSync(path("in.out.jsonl"), [longer, ...others].join("\n"));
    expect(await run({ input, url: server.url })).toMatchObject({ answeredBefore: 2, progress: { sent: 0 } });
  });
});

describe("a journal", () => {
  it("notes what requests really used, so that the next run waits for no more than that", async () => {
    // It stands still: whoever has to wait waits for good.
    const clock = new VirtualClock();
    const server = await startServer();
    const { path } = folder();
    // 15 tokens are used of each of those that are reserved.
    const input = writeRows(path("in.jsonl"), [row("a", { max_tokens: 150 }), row("b", { max_tokens: 150 })]);
    const options = { input, url: server.url, clock, limits: ["200tok/m burst 200"], guardMs: 0 };
    for (const more of [{ sample: 1 }, {}]) {
      const opened = await openBatch({ ...options, ...more });
      if (opened.kind === "refused") throw new Error("refused");
      const ended = opened.batch.run();
      await until(() => opened.batch.progress().answered === 1);
      expect((await ended).ending).toEqual({ kind: "completed" });
    }
    const past = await readJournal(path("in.out.journal.jsonl"), -Infinity);
    expect(past?.sent).toEqual([{ at: clock.wall(), tokens: 30, requests: 2 }]);
  });

  it("that a crash has cut off in its first line is begun anew, and the first request waits for a window", async () => {
    const clock = new VirtualClock();
    const sentAt: number[] = [];
    const server = await startServer(() => {
      sentAt.push(clock.now());
      return {};
    });
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(2));
    const options = { input, url: server.url, clock, limits: ["100/m"], guardMs: 0 };
    await run({ ...options, sample: 1 });
    const journal = path("in.out.journal.jsonl");
    for (const left of ["", "\0\0\0", readFileSync(journal, "utf8").slice(0, 40)]) {
      writeFileSync(journal, left);
      expect(await readJournal(journal, 0)).toEqual({ header: undefined, sent: [] });
    }
    const again = clock.now();
    expect((await run(options)).progress.sent).toBe(1);
    expect(sentAt.at(-1)).toBeGreaterThanOrEqual(again + 60_000);
    expect((await readJournal(journal, 0))?.header?.input?.rows).toBe(2);
  });
});

describe("--max-cost", () => {
  const price = { input: 1, output: 1 };
  const ROW = 15 / 1e6;

  it("holds for all runs of an output together", async () => {
    const server = await startServer();
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(20));
    const options = { input, url: server.url, price, concurrency: 1 };
    await run({ ...options, sample: 5 });
    const { ending, costBefore } = await run({ ...options, maxCost: 10.5 * ROW });
    expect(costBefore).toBeCloseTo(5 * ROW);
    expect(ending).toMatchObject({ kind: "stopped", why: "max_cost" });
    expect(server.calls.length).toBeGreaterThan(5);
    expect(server.calls.length).toBeLessThanOrEqual(10);
    const sent = server.calls.length;
    await run({ ...options, maxCost: sent * ROW });
    expect(server.calls).toHaveLength(sent);
  });

  it("estimates the answers before that do not say what they used", async () => {
    const server = await startServer(() => ({ body: { choices: [] } }));
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(4));
    const first = await run({ input, url: server.url, price });
    const { costBefore } = await run({ input, url: server.url, price });
    expect(first.progress.withoutUsage).toBe(4);
    expect(costBefore).toBeGreaterThan(0);
  });
});

describe("a row", () => {
  it("that is nested too deeply, or is no UTF-8, is a bad line and no end of the run", async () => {
    const server = await startServer();
    const { path } = folder();
    const deep = `{"prompt":"x","metadata":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
    const input = writeRows(path("in.jsonl"), [row("a"), deep]);
    writeFileSync(input, Buffer.concat([readFileSync(input), Buffer.from('{"prompt":"caf\xe9"}\n', "latin1")]));
    expect(await refusalOf({ input, model: "m" })).toMatchObject({
      kind: "bad_lines",
      count: 2,
      first: [
        { line: 2, rule: "a line must not be nested deeper than 500 levels" },
        { line: 3, rule: "a line must be UTF-8" },
      ],
    });
    const { progress, badLines } = await run({ input, url: server.url, model: "m", skipBadLines: true });
    expect({ answered: progress.answered, badLines }).toEqual({ answered: 1, badLines: 2 });
    expect(ids(path("in.out.jsonl"))).toEqual(["a"]);
  });
});
