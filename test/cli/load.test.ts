/* `headgate load` as a process of its own. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../src/engine/clock.ts";
import { startModel } from "./serve-file-kit.ts";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it in a folder. `hear` is called with all that it has said on standard error so far. */
function headgate(
  folder: string,
  args: readonly string[],
  hear: (stderr: string, kill: () => void) => void = () => {},
): Promise<Ended> {
  const cli = join(process.cwd(), "src/cli/index.ts");
  const tsx = import.meta.resolve("tsx");
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined };
  const child = spawn(process.execPath, ["--import", tsx, cli, ...args], { cwd: folder, env });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    hear(stderr, () => child.kill("SIGINT"));
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "headgate-load-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Ten requests, behind one seat. */
const TINY = `
description: Ten requests.
model: instant
gate: { deployments: { m: { max_concurrent: 1, queue: {} } } }
consumers: { a: {}, b: {} }
phases: [{ name: burst, load: { a: { burst: 6 }, b: { burst: 4 } } }]
assert: { served: 10, concurrent: 1 }
`;

describe("headgate load", () => {
  test("lists its scenarios, each with what it is", async () => {
    const { code, stdout } = await headgate(folder(), ["load", "--list"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^fragile-gpu +Seven stress tests/m);
    expect(stdout).toMatch(/^shared-deployment +Three agents/m);
  });

  test("suggests the scenario that was meant", async () => {
    const { code, stderr } = await headgate(folder(), ["load", "fragile-gpo"]);
    expect([code, stderr]).toEqual([
      2,
      'headgate: "fragile-gpo" is neither a built-in scenario nor a file: did you mean fragile-gpu?\n',
    ]);
  });

  test("tells every mistake of a scenario with its line and column, and runs nothing", async () => {
    const path = folder();
    writeFileSync(join(path, "wrong.yaml"), TINY.replace("burst: 6", "brust: 6").replace("served: 10", "served: many"));
    const { code, stderr } = await headgate(path, ["load", "wrong.yaml", "--virtual"]);
    expect(code).toBe(2);
    expect(stderr).toContain("wrong.yaml:6:38");
    expect(stderr).toContain("did you mean burst?");
    expect(stderr).toContain("wrong.yaml:7:19");
  });

  test.each([
    { args: ["--virtual", "--target", "http://127.0.0.1:1"], message: "--virtual runs nothing over HTTP" },
    { args: ["--virtual", "--speed", "2"], message: "--virtual takes no time" },
    { args: ["--no-gate", "--target", "http://127.0.0.1:1"], message: "give --target twice" },
    { args: ["--seed", "9-3"], message: '--seed must be a range of 1 to 1000 seeds like 1-10, got "9-3"' },
    { args: ["--duration", "5"], message: '--duration must be a duration like 30s (units ms, s, m, h), got "5"' },
    { args: ["--target", "localhost"], message: '--target must be a URL like http://127.0.0.1:8080, got "localhost"' },
  ])("refuses $args", async ({ args, message }) => {
    const { code, stderr } = await headgate(folder(), ["load", "fragile-gpu", ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test("writes a scenario to edit that runs as it is, and never over a file", async () => {
    const path = folder();
    expect(await headgate(path, ["load", "init"])).toMatchObject({ code: 0 });
    expect(await headgate(path, ["load", "scenario.yaml", "--virtual", "--assert"])).toMatchObject({ code: 0 });
    const again = await headgate(path, ["load", "init"]);
    expect([again.code, again.stderr]).toEqual([1, "headgate: scenario.yaml is there already; name another file\n"]);
  });

  test("over HTTP writes the report as a page and as JSON and every request as a line, and leaves no process and no log behind", async () => {
    const path = folder();
    writeFileSync(join(path, "tiny.yaml"), TINY);
    const before = logFolders();
    const { code, stdout } = await headgate(path, ["load", "tiny.yaml", "--assert", "--report", "run"]);
    expect(stdout).toContain("passed: all 2 checks hold");
    expect(code).toBe(0);
    expect(readdirSync(join(path, "run")).sort()).toEqual(["report.html", "report.json", "requests.jsonl"]);
    const lines = readFileSync(join(path, "run", "requests.jsonl"), "utf8")
      .trim()
      .split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { ending: string }).ending)).toEqual(
      Array.from({ length: 10 }, () => "served"),
    );
    expect(logFolders()).toEqual(before);
  });

  test("shows with and without the gate side by side", async () => {
    const path = folder();
    writeFileSync(join(path, "tiny.yaml"), TINY);
    const { code, stdout } = await headgate(path, [
      "load",
      "tiny.yaml",
      "--virtual",
      "--no-gate",
      "--assert",
      "--json",
    ]);
    const { sides } = JSON.parse(stdout) as { sides: { name: string; total: { served: number } }[] };
    expect(sides.map(({ name, total }) => [name, total.served])).toEqual([
      ["with the gate", 10],
      ["without the gate", 10],
    ]);
    expect(code).toBe(0);
  });

  test("sends its load to a server that is there already, and leaves out what cannot be seen of its model", async () => {
    const model = await startModel();
    const path = folder();
    writeFileSync(join(path, "tiny.yaml"), TINY);
    const { code, stdout, stderr } = await headgate(path, ["load", "tiny.yaml", "--target", model.url, "--assert"]);
    expect(stdout).toContain("passed: its one check holds");
    expect(stderr).toContain("not judged: concurrent needs the model's own count");
    expect(code).toBe(0);
    expect(model.stats().requests.completed).toBe(10);
  });

  test("ends with 1 where an assertion does not hold and it was asked to, with 0 where not", async () => {
    const path = folder();
    writeFileSync(join(path, "wrong.yaml"), TINY.replace("served: 10", "served: 11"));
    const demanded = await headgate(path, ["load", "wrong.yaml", "--virtual", "--assert"]);
    expect(demanded.stdout).toContain("failed: 1 of 2 checks does not hold");
    expect(demanded.code).toBe(1);
    expect((await headgate(path, ["load", "wrong.yaml", "--virtual"])).code).toBe(0);
  });

  test("runs several seeds one after the other, a line each", async () => {
    const path = folder();
    writeFileSync(join(path, "tiny.yaml"), TINY);
    const { stdout } = await headgate(path, ["load", "tiny.yaml", "--virtual", "--seed", "3-5", "--report", "runs"]);
    expect(stdout.match(/^seed \d/gm)).toEqual(["seed 3", "seed 4", "seed 5"]);
    expect(readdirSync(join(path, "runs")).sort()).toEqual(["seed-3", "seed-4", "seed-5"]);
  });

  test("prints several reports as one JSON value", async () => {
    const path = folder();
    writeFileSync(join(path, "tiny.yaml"), TINY);
    const { stdout } = await headgate(path, ["load", "tiny.yaml", "--virtual", "--seed", "1-2", "--json"]);
    expect((JSON.parse(stdout) as { scenario: { seed: number } }[]).map(({ scenario }) => scenario.seed)).toEqual([
      1, 2,
    ]);
  });

  test("without the gate has no configuration to change, and needs none", async () => {
    const path = folder();
    const edit = "gate: { deployments: { m: { max_concurrent: 2 } } }";
    writeFileSync(
      join(path, "edit.yaml"),
      TINY.replace("phases: [", `phases: [{ name: edited, load: { a: { burst: 1 } }, ${edit} }, `).replace(
        "served: 10",
        "served: 11",
      ),
    );
    const { code, stdout } = await headgate(path, ["load", "edit.yaml", "--no-gate"]);
    expect(stdout).toContain("Side by side");
    expect(code).toBe(0);
  });

  test("shows what it has measured though the report cannot be written", async () => {
    const path = folder();
    writeFileSync(join(path, "tiny.yaml"), TINY);
    mkdirSync(join(path, "run", "report.html"), { recursive: true });
    const { code, stdout, stderr } = await headgate(path, ["load", "tiny.yaml", "--virtual", "--report", "run"]);
    expect(stdout).toContain("passed: all 2 checks hold");
    expect(stderr).toContain("--report run: cannot be written");
    expect(code).toBe(1);
  });

  test.skipIf(process.platform !== "linux")("that is killed leaves no model and no gate behind", async () => {
    const path = folder();
    const script = join(process.cwd(), "src/cli/index.ts");
    const args = ["--import", import.meta.resolve("tsx"), script, "load", "shared-deployment"];
    const child = spawn(process.execPath, args, { cwd: path, stdio: ["ignore", "ignore", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    await new Promise<void>(
      (resolve) => void child.stderr.on("data", (chunk: Buffer) => chunk.includes("sent") && resolve()),
    );
    const children = childrenOf(child.pid ?? 0);
    expect(children.length).toBe(2);
    child.kill("SIGKILL");
    await gone(children);
  });

  test("that is interrupted reports what it has seen, and ends with 130", async () => {
    const path = folder();
    let isInterrupted = false;
    const ended = await headgate(path, ["load", "shared-deployment", "--report", "run"], (stderr, interrupt) => {
      if (isInterrupted || !stderr.includes("sent")) return;
      isInterrupted = true;
      interrupt();
    });
    expect(ended.code).toBe(130);
    expect(ended.stdout).toContain("interrupted");
    expect(existsSync(join(path, "run", "report.html"))).toBe(true);
  });
});

describe("headgate load diff", () => {
  test("tells what is different between two reports, by the folders that they are in", async () => {
    const path = folder();
    writeFileSync(join(path, "tiny.yaml"), TINY);
    writeFileSync(join(path, "more.yaml"), TINY.replace("burst: 6", "burst: 60"));
    await headgate(path, ["load", "tiny.yaml", "--virtual", "--report", "a"]);
    await headgate(path, ["load", "more.yaml", "--virtual", "--report", "b"]);
    const { code, stdout } = await headgate(path, ["load", "diff", "a", "b"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/sent +10 +64/);
    const json = await headgate(path, ["load", "diff", "a", "b", "--json"]);
    expect(JSON.parse(json.stdout)).toHaveProperty("differences.0.metric");
  });

  test("says what is no report", async () => {
    const path = folder();
    writeFileSync(join(path, "other.json"), '{"format":"headgate.load/9"}');
    const { code, stderr } = await headgate(path, ["load", "diff", "other.json", "nothing"]);
    expect(code).toBe(2);
    expect(stderr).toContain("other.json");
  });
});

function childrenOf(parent: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && parentOf(Number(name)) === parent)
    .map(Number);
}

/** 0 where there is no such process. */
function parentOf(pid: number): number {
  try {
    return Number(/\nPPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return 0;
  }
}

/** Resolves when none of them runs any more. */
async function gone(pids: readonly number[]): Promise<void> {
  while (pids.some((pid) => existsSync(`/proc/${pid}`))) {
    await new Promise<void>((resolve) => void systemClock.after(20, resolve));
  }
}

/** Where running loads keep their logs. */
function logFolders(): readonly string[] {
  return readdirSync(tmpdir()).filter(
    (name) => name.startsWith("headgate-load-") && !name.startsWith("headgate-load-test-"),
  );
}
