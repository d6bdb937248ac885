import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { openBatch } from "../../src/batch/run/batch-file.ts";
import type { BatchFileOptions } from "../../src/batch/run/batch-file-types.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { folder, ids, readRows, type Reply, row, rows, run, startServer, until, writeRows } from "./kit.ts";

interface Files {
  readonly input: string;
  readonly out: string;
  readonly errors: string;
  readonly journal: string;
}

function setUp(lines: readonly (object | string)[]): Files {
  const { path } = folder();
  return {
    input: writeRows(path("in.jsonl"), lines),
    out: path("in.out.jsonl"),
    errors: path("in.out.errors.jsonl"),
    journal: path("in.out.journal.jsonl"),
  };
}

async function refusalOf(options: BatchFileOptions): Promise<unknown> {
  const opened = await openBatch(options);
  if (opened.kind === "refused") return opened.refusal;
  await opened.batch.close();
  return undefined;
}

describe("the same batch again", () => {
  it("sends nothing that is finished, whether answered or failed", async () => {
    const server = await startServer(({ name }) => (name === "row 1" ? { status: 400, body: {} } : {}));
    const { input, out } = setUp(rows(5));
    await run({ input, url: server.url });
    const before = readFileSync(out, "utf8");
    const { answeredBefore, failedBefore, progress } = await run({ input, url: server.url });
    expect({ answeredBefore, failedBefore, sent: progress.sent }).toEqual({
      answeredBefore: 4,
      failedBefore: 1,
      sent: 0,
    });
    expect(server.calls).toHaveLength(5);
    expect(readFileSync(out, "utf8")).toBe(before);
  });

  it("goes on where the output ends, with the output alone", async () => {
    const server = await startServer();
    const { input, out, journal } = setUp(rows(10));
    await run({ input, url: server.url });
    const lines = readFileSync(out, "utf8").split("\n");
    writeFileSync(out, `${lines.slice(0, 4).join("\n")}\n`);
    rmSync(journal);
    const { progress } = await run({ input, url: server.url });
    expect(progress.sent).toBe(6);
    expect([...ids(out)].sort()).toEqual(rows(10).map((_, index) => `row ${index}`));
  });

  it("goes on with a copy of its own failures, mended, without the model that they name", async () => {
    const server = await startServer(({ body }) => (body["top_k"] === -1 ? { status: 400, body: {} } : {}));
    const { input, out, errors } = setUp([row("a"), { custom_id: "b", prompt: "b", top_k: -1 }]);
    await run({ input, url: server.url, model: "m" });
    const copy = input.replace("in.jsonl", "mended.jsonl");
    writeFileSync(copy, readFileSync(errors, "utf8").replace('"top_k":-1', '"top_k":1'));
    await run({ input: copy, output: out, url: server.url });
    expect(ids(out)).toEqual(["a", "b"]);
    // Other rows are another batch, as ever.
    writeRows(copy, [row("c")]);
    expect(await refusalOf({ input: copy, output: out, url: server.url })).toMatchObject({ kind: "changed" });
  });

  it("takes the same address for the same, however it is written", async () => {
    const server = await startServer();
    const { input } = setUp(rows(2));
    await run({ input, url: server.url });
    expect(await refusalOf({ input, url: server.url.replace("/v1", "") })).toBeUndefined();
    expect(await refusalOf({ input, url: `${server.url}/` })).toBeUndefined();
  });

  it("cuts off a line that was not written to its end, and asks its row again", async () => {
    const server = await startServer();
    const { input, out } = setUp(rows(3));
    await run({ input, url: server.url });
    const bytes = readFileSync(out);
    truncateSync(out, bytes.length - 40);
    const opened = await openBatch({ input, url: server.url });
    if (opened.kind === "refused") throw new Error("refused");
    expect(opened.batch.plan.repairedBytes).toBeGreaterThan(0);
    await opened.batch.run();
    expect(server.calls).toHaveLength(4);
    expect(new Set(ids(out)).size).toBe(3);
  });

  it("sends failed rows again if it is told to, and forgets their failures", async () => {
    let isWell = false;
    const server = await startServer(({ name }) => (name === "row 1" && !isWell ? { status: 400, body: {} } : {}));
    const { input, out, errors } = setUp(rows(3));
    await run({ input, url: server.url });
    expect(ids(errors)).toEqual(["row 1"]);
    isWell = true;
    const { progress } = await run({ input, url: server.url, retryFailed: true });
    expect(progress).toMatchObject({ answered: 1, failed: 0 });
    expect(existsSync(errors)).toBe(false);
    expect(ids(out)).toHaveLength(3);
  });

  it("refuses an input that has changed, and says what", async () => {
    const server = await startServer();
    const { input, out } = setUp(rows(3));
    await run({ input, url: server.url });
    writeRows(input, [...rows(2), row("row 2", { temperature: 1 }), row("new")]);
    expect(await refusalOf({ input, url: server.url })).toEqual({
      kind: "changed",
      output: out,
      changes: [
        `the input was ${input} with 3 rows, is ${input} with 4 rows and other bytes`,
        "1 finished row asks something else now, the first is row 2 in line 3",
      ],
    });
    expect(server.calls).toHaveLength(3);
  });

  it("refuses other settings, and says which", async () => {
    const server = await startServer();
    const { input } = setUp([{ prompt: "hello" }]);
    await run({ input, url: server.url, model: "a" });
    const changed = await refusalOf({ input, url: `${server.url}/x/`, model: "b" });
    expect(changed).toMatchObject({
      kind: "changed",
      changes: [
        `--url was ${server.url}, is ${server.url}/x`,
        "--model was a, is b",
        "1 finished row asks something else now, the first is row-1 in line 1",
      ],
    });
  });

  it("asks what has changed again if it is forced, and keeps the other answers", async () => {
    const server = await startServer();
    const { input, out } = setUp(rows(3));
    await run({ input, url: server.url });
    writeRows(input, [...rows(2), row("row 2", { temperature: 1 }), row("new")]);
    const { progress, answeredBefore } = await run({ input, url: server.url, force: true });
    expect({ sent: progress.sent, answeredBefore }).toEqual({ sent: 2, answeredBefore: 2 });
    expect([...ids(out)].sort()).toEqual(["new", "row 0", "row 1", "row 2"]);
  });

  it("touches no file that another program has written", async () => {
    const { input, out } = setUp(rows(1));
    for (const text of ['{"some":"thing"}\n', "no newline", '{"id":"batch_req_x","custom_id":"a"}\n']) {
      writeFileSync(out, text);
      expect(await refusalOf({ input, url: "http://127.0.0.1:9/v1" })).toMatchObject({ kind: "unsuitable" });
      expect(readFileSync(out, "utf8")).toBe(text);
    }
  });

  it("refuses while another run has the output, and takes over from one that has died", async () => {
    const held: (() => void)[] = [];
    const server = await startServer(() => new Promise<Reply>((resolve) => held.push(() => resolve({}))));
    const { input, out } = setUp(rows(1));
    const opened = await openBatch({ input, url: server.url });
    if (opened.kind === "refused") throw new Error("refused");
    const ended = opened.batch.run();
    await until(() => held.length === 1);
    await expect(openBatch({ input, url: server.url })).rejects.toThrow(`process ${process.pid}`);
    held[0]?.();
    await ended;
    const lock = out.replace(".jsonl", ".lock");
    expect(existsSync(lock)).toBe(false);
    writeFileSync(lock, JSON.stringify({ pid: 2 ** 22 + 1, host: (await import("node:os")).hostname(), started: "1" }));
    expect(await refusalOf({ input, url: server.url })).toBeUndefined();
    expect(existsSync(lock)).toBe(false);
  });

  it("keeps a limit across runs: what the last one sent counts for the next", async () => {
    const clock = new VirtualClock();
    const sentAt: number[] = [];
    const server = await startServer();
    // Not when it arrives: virtual time may go on while a request is on a real socket.
    const listener = { sent: (): unknown => sentAt.push(clock.now()) };
    const { input, out, errors } = setUp(rows(20));
    const options = { input, url: server.url, clock, limits: ["5/10s"], guardMs: 0, listener };
    const opened = await openBatch(options);
    if (opened.kind === "refused") throw new Error("refused");
    const ended = opened.batch.run();
    await until(() => server.calls.length > 0);
    opened.batch.drain();
    // No time passes between the runs.
    await ended;
    await run(options);
    expect(ids(out)).toHaveLength(20);
    expect(existsSync(errors)).toBe(false);
    const windows = sentAt.map((from) => sentAt.filter((at) => at >= from && at < from + 10_000).length);
    expect(Math.max(...windows)).toBeLessThanOrEqual(5);
  });

  it("begins the journal anew with what matters, and survives a torn line in it", async () => {
    const server = await startServer();
    const { input, journal } = setUp(rows(3));
    const settings = {
      input,
      url: server.url,
      limits: ["3600000/h"],
      apiKey: "secret",
      headers: { "x-key": "secret" },
    };
    await run(settings);
    appendFileSync(journal, '{"sent":[17');
    await run(settings);
    const [header = {}, ...sent] = readRows(journal);
    expect(header).toMatchObject({ format: "headgate-batch", version: 1, input: { file: input, rows: 3 } });
    expect(readFileSync(journal, "utf8")).not.toContain("secret");
    expect(sent).not.toHaveLength(0);
    for (const line of sent) expect(line).toEqual({ sent: expect.arrayContaining([expect.any(Number)]) as unknown });
  });
});

describe("the input", () => {
  it("is refused as a whole for its bad lines, each with its number, its rule and what stands there", async () => {
    const { input, out } = setUp([
      row("a"),
      "not json",
      { custom_id: "", method: "POST", url: "/v1/x", body: {} },
      "",
      row("a"),
      { custom_id: "b", method: "GET", url: "/v1/x", body: {} },
      { custom_id: "c", method: "POST", url: "http://elsewhere/v1", body: { model: "m" } },
      { custom_id: "d", method: "POST", url: "/v1/x", body: { model: "m", stream: true } },
      { prompt: "hello" },
    ]);
    const refusal = await refusalOf({ input, url: "http://127.0.0.1:9/v1" });
    expect(refusal).toEqual({
      kind: "bad_lines",
      count: 7,
      first: [
        { line: 2, rule: "a line must be a JSON object", value: '"not json"' },
        { line: 3, rule: "custom_id must be a string of 1 to 512 characters", value: '""' },
        { line: 5, rule: "custom_id must be unique, and line 1 has it too", value: '"a"' },
        { line: 6, rule: 'method must be "POST"', value: '"GET"' },
        {
          line: 7,
          rule: "url must be the path of an endpoint, like /v1/chat/completions",
          value: '"http://elsewhere/v1"',
        },
        { line: 8, rule: "body.stream must be left out: the answers of a batch are whole", value: "true" },
        { line: 9, rule: "the row names no model; give one with --model", value: "" },
      ],
    });
    expect(existsSync(out)).toBe(false);
  });

  it("goes without its bad lines if that is wanted, and keeps a note of each", async () => {
    const server = await startServer();
    const { input, out } = setUp([row("a"), "{", row("b")]);
    const { badLines } = await run({ input, url: server.url, skipBadLines: true });
    expect(badLines).toBe(1);
    expect(ids(out)).toHaveLength(2);
    expect(readRows(out.replace(".jsonl", ".bad-lines.jsonl"))).toEqual([
      { line: 2, rule: "a line must be a JSON object", value: '"{"' },
    ]);
  });

  it("may come from a stream, and goes on like a file", async () => {
    const server = await startServer();
    const { input, out } = setUp(rows(4));
    const stdin = async function* (): AsyncGenerator<Buffer> {
      yield* [Buffer.from(readFileSync(input, "utf8")), Buffer.from("bad\n")];
    };
    const options = { input: "-", output: out, url: server.url };
    expect(await run({ ...options, stdin: stdin() })).toMatchObject({ badLines: 1, progress: { answered: 4 } });
    expect(await run({ ...options, stdin: stdin() })).toMatchObject({ answeredBefore: 4, progress: { sent: 0 } });
  });

  it("is looked at only, in a dry run", async () => {
    const { input, out } = setUp(rows(100));
    const opened = await openBatch({ input, url: "http://127.0.0.1:9/v1", dryRun: true, limits: ["2/s"] });
    if (opened.kind === "refused") throw new Error("refused");
    await opened.batch.close();
    const { dryRun } = await import("../../src/batch/progress/projection.ts");
    expect(dryRun(opened.batch.plan, ["2/s"], { input: 1, output: 1 })).toMatchObject({
      rows: 100,
      left: 100,
      // 50 pairs: 49 windows, each with its guard.
      minimum_ms: 49 * 1_050,
      tokens: { output: 800 },
    });
    expect(existsSync(out)).toBe(false);
    expect(existsSync(out.replace(".jsonl", ".lock"))).toBe(false);
  });

  it("is sampled at random, and the sample is not asked again", async () => {
    const server = await startServer();
    const { input, out } = setUp(rows(200));
    const { progress } = await run({ input, url: server.url, sample: 20 });
    expect(progress.answered).toBe(20);
    const sampled = ids(out).map((id) => Number(id.slice(4)));
    expect(Math.max(...sampled)).toBeGreaterThan(50);
    await run({ input, url: server.url });
    expect(new Set(ids(out)).size).toBe(200);
    expect(server.calls).toHaveLength(200);
  });
});
