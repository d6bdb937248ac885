import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { headgateBatch, start } from "./child.ts";
import { folder, ids, readRows, type Reply, row, rows, startServer, until, writeRows } from "./kit.ts";

describe("headgate batch", () => {
  it("answers 0 and prints a summary where every row has an answer", async () => {
    const server = await startServer();
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(6));
    const { code, stdout } = await headgateBatch(input, "--url", server.url, "--limit", "5/s", "--price", "1,2");
    expect(code).toBe(0);
    expect(stdout).toContain("6 answered");
    expect(stdout).toMatch(/5\/s: [\d.]+% used, never more than 5 requests in any second/);
    expect(stdout).toContain("60 in, 30 out");
    expect(stdout).toContain("$0.00012");
    expect(JSON.parse(readFileSync(path("in.out.summary.json"), "utf8"))).toMatchObject({
      ended: "completed",
      rows: { answered: 6, failed: 0, left: 0 },
      limits: [{ limit: "5/s", most_in_any_window: 5, allowed: 5 }],
      tokens: { input: 60, output: 30 },
    });
  });

  it("answers 2 where a row failed, and says how to send it again", async () => {
    const server = await startServer(({ name }) => (name === "row 1" ? { status: 400, body: {} } : {}));
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(2));
    const { code, stdout } = await headgateBatch(input, "--url", server.url);
    expect(code).toBe(2);
    expect(stdout).toContain("1 failed");
    expect(stdout).toContain("--retry-failed");
    expect(stdout).toContain(path("in.out.errors.jsonl"));
  });

  it("answers 3 where the key is refused", async () => {
    const server = await startServer(() => ({ status: 401, body: { error: { message: "no such key" } } }));
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(2));
    const { child, ended } = start([input, "--url", server.url, "--api-key-env", "MY_KEY"], {
      env: { MY_KEY: "secret" },
    });
    const { code, stdout, stderr } = await ended;
    expect(child.exitCode).toBe(3);
    expect(code).toBe(3);
    expect(stdout).toContain("the key was refused: 401: no such key");
    expect(stdout + stderr).not.toContain("secret");
    expect(server.calls[0]?.headers.authorization).toBe("Bearer secret");
  });

  it("sends no key where none is set, and says so where one was named", async () => {
    const server = await startServer();
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(1));
    const { stderr } = await headgateBatch(input, "--url", server.url, "--api-key-env", "NO_SUCH_KEY");
    expect(stderr).toContain("NO_SUCH_KEY is not set");
    expect(server.calls[0]?.headers.authorization).toBeUndefined();
  });

  it("tells every mistake of its flags at once", async () => {
    const flags = ["--limit", "fast", "--concurrency", "0", "--order", "random", "--max-cost", "1", "--header", "x"];
    const { code, stderr } = await headgateBatch("in.jsonl", "--url", "ftp://x", ...flags);
    expect(code).toBe(2);
    for (const flag of ["--url", "--limit", "--concurrency", "--order", "--max-cost", "--header"])
      expect(stderr).toContain(flag);
    expect(stderr).toContain("6 mistakes, nothing was sent");
  });

  it("says which lines are no rows, and that an input is not there", async () => {
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), [row("a"), "{}"]);
    const bad = await headgateBatch(input, "--url", "http://127.0.0.1:9/v1");
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain(`${input}:2: a line must have custom_id, method, url and body`);
    const missing = await headgateBatch(path("nothing.jsonl"), "--url", "http://127.0.0.1:9/v1");
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain(`cannot read ${path("nothing.jsonl")}: there is no such file`);
    expect(missing.stderr).not.toContain("    at ");
  });

  it("reads standard input and writes to standard output", async () => {
    const server = await startServer();
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(3));
    const { ended } = start(["-", "-o", "-", "--url", server.url], { stdin: readFileSync(input, "utf8") });
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    const lines = stdout.trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id).sort()).toEqual([
      "row 0",
      "row 1",
      "row 2",
    ]);
    expect(stderr).toContain("3 answered");
  });

  it("prints its summary, and what it would do, as JSON", async () => {
    const server = await startServer();
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(9));
    const dry = await headgateBatch(
      input,
      "--url",
      server.url,
      "--dry-run",
      "--json",
      "--limit",
      "2/s",
      "--price",
      "1,1",
    );
    expect(JSON.parse(dry.stdout)).toMatchObject({ rows: 9, left: 9, minimum_ms: 4_200 });
    expect(server.calls).toHaveLength(0);
    const sample = await headgateBatch(input, "--url", server.url, "--sample", "3", "--json", "--price", "1,1");
    expect(sample.code).toBe(0);
    expect(JSON.parse(sample.stdout)).toMatchObject({
      rows: { answered: 3, left: 6 },
      projection: { sampled: 3, rows: 9, input_tokens: { value: 90, low: 90, high: 90 }, output_tokens: { value: 45 } },
    });
  });

  it("lets what is in flight end at the first Ctrl-C, and goes on later", async () => {
    const held: (() => void)[] = [];
    let hold = true;
    const server = await startServer(() => (hold ? new Promise<Reply>((resolve) => held.push(() => resolve({}))) : {}));
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(10));
    const args = [input, "--url", server.url, "--concurrency", "3", "--progress", "text"];
    const { child, ended } = start(args);
    await until(() => held.length === 3);
    child.kill("SIGINT");
    const stopping = new Promise<void>((resolve) => {
      child.stderr?.on("data", (chunk: Buffer) => {
        if (chunk.toString().includes("waiting for 3 in flight")) resolve();
      });
    });
    await stopping;
    for (const answer of held) answer();
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    expect(stdout).toContain("3 answered, 7 left");
    expect(stdout).toContain("the same command goes on from here");
    expect(ids(path("in.out.jsonl"))).toHaveLength(3);
    hold = false;
    expect((await headgateBatch(...args)).code).toBe(0);
    expect(ids(path("in.out.jsonl"))).toHaveLength(10);
    expect(server.calls).toHaveLength(10);
  });

  it("stops in good order where its terminal is closed", async () => {
    const held: (() => void)[] = [];
    const server = await startServer(() => new Promise<Reply>((resolve) => held.push(() => resolve({}))));
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(10));
    const { child, ended } = start([input, "--url", server.url, "--concurrency", "2", "--progress", "text"]);
    await until(() => held.length === 2);
    const stopping = new Promise<void>((resolve) => {
      child.stderr?.on("data", (chunk: Buffer) => {
        if (chunk.toString().includes("waiting for 2 in flight")) resolve();
      });
    });
    child.kill("SIGHUP");
    await stopping;
    for (const answer of held) answer();
    expect((await ended).code).toBe(129);
    expect(ids(path("in.out.jsonl"))).toHaveLength(2);
  });

  it("tells which lines of standard input were no rows", async () => {
    const server = await startServer();
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), [row("a"), "{}", "no"]);
    const { ended } = start(["-", "-o", path("out.jsonl"), "--url", server.url], {
      stdin: readFileSync(input, "utf8"),
    });
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(2);
    expect(stderr).toContain("2 lines are no rows:\n  standard input:2: a line must have custom_id");
    expect(stderr).toContain('standard input:3: a line must be a JSON object, got "no"');
    expect(stdout).toContain("1 answered");
  });

  it("says what is asked again in its summary, and never counts what was not", async () => {
    const server = await startServer(({ name, time }) =>
      name === "row 0" && time === 1 ? { status: 503, headers: { "retry-after": "0" } } : {},
    );
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(2));
    const { stdout } = await headgateBatch(input, "--url", server.url);
    expect(stdout).toMatch(/requests +3; sent again: 1 refused for the load \(503, 529\)/);
    const idle = await headgateBatch(input, "--url", server.url, "--limit", "5/s");
    expect(idle.stdout).toMatch(/requests +none/);
    expect(idle.stdout).not.toContain("in any second");
  });

  it("refuses what makes no sense before it touches a file", async () => {
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(2));
    const where = ["--url", "http://127.0.0.1:9/v1"];
    const limit = await headgateBatch(input, ...where, "--limit", "1.5/s", "--cold-start", "warm");
    expect(limit.code).toBe(2);
    expect(limit.stderr).toContain('--limit "1.5/s": a limit must be a whole number: 1.5/s is 3/2s (like');
    expect(limit.stderr).toContain('--cold-start must be one of idle, busy, got "warm"');
    const part = await headgateBatch(input, ...where, "-o", path("in.jsonl"));
    expect(part.code).toBe(2);
    const both = await headgateBatch(input, ...where, "--sample", "1", "--dry-run");
    expect(both.stderr).toContain("give one of them");
  });

  it("gives up what is in flight at the second Ctrl-C", async () => {
    const server = await startServer(({ name }) => (name === "row 0" ? {} : new Promise<Reply>(() => {})));
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(10));
    const { child, ended } = start([input, "--url", server.url, "--concurrency", "3", "--progress", "text"]);
    await until(() => server.calls.length === 4);
    child.stderr?.once("data", () => child.kill("SIGINT"));
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    expect(stdout).toContain("1 answered, 9 left");
    expect(readRows(path("in.out.errors.jsonl"))).toEqual([]);
    await until(() => server.open === 0);
  });

  it("refuses to go on with other rows, and says how to", async () => {
    const server = await startServer();
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(2));
    await headgateBatch(input, "--url", server.url);
    writeFileSync(input, `${readFileSync(input, "utf8")}${JSON.stringify(row("more"))}\n`);
    const { code, stderr } = await headgateBatch(input, "--url", server.url);
    expect(code).toBe(2);
    expect(stderr).toContain("was begun with something else");
    expect(stderr).toContain("with 2 rows");
    expect((await headgateBatch(input, "--url", server.url, "--force")).code).toBe(0);
    expect(server.calls).toHaveLength(3);
  });
});
