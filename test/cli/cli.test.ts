import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";

const running = new Set<ChildProcessWithoutNullStreams>();

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
});

describe("headgate", () => {
  it("shows its commands, and where to start, without being told what to do", async () => {
    const { code, stdout } = await headgate();
    expect(code).toBe(0);
    expect(stdout).toContain("headgate serve --backend");
  });

  it("suggests the command that was meant", async () => {
    const { code, stderr } = await headgate("serv");
    expect(code).toBe(2);
    expect(stderr).toContain("Did you mean serve?");
  });

  it("suggests the option that was meant", async () => {
    const { code, stderr } = await headgate("serve", "--max-concurent", "5");
    expect(code).toBe(2);
    expect(stderr).toContain("Did you mean --max-concurrent?");
  });

  it.each(["serve", "check", "model", "demo"])("shows an example in the help of %s", async (command) => {
    const { code, stdout } = await headgate(command, "--help");
    expect(code).toBe(0);
    expect(stdout).toContain(`$ headgate ${command}`);
  });
});

describe("headgate serve", () => {
  it("prints where it listens, what is behind it and a line to try, and stops in good order on SIGTERM", async () => {
    const backend = createServer((_, response) => response.end('{"data":[{"id":"tiny"}]}'));
    await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
    const { port } = backend.address() as AddressInfo;
    const gate = start("serve", "--port", "0", "--backend", `http://127.0.0.1:${port}`, "--max-concurrent", "3");
    const banner = await gate.until("/proxy/stats");
    expect(banner).toContain(`http://127.0.0.1:${port}/  answers`);
    expect(banner).toContain("3 requests at once");
    expect(banner).toContain('"model":"tiny"');
    const url = /http:\/\/127\.0\.0\.1:\d+(?=\/proxy)/.exec(banner)?.[0] ?? "";
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    gate.child.kill("SIGTERM");
    const { code, stderr } = await gate.ended;
    expect(code).toBe(0);
    expect(stderr).toContain("SIGTERM: stopping");
    await new Promise((resolve) => backend.close(resolve));
  });

  it("says in one line that a port is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await headgate("serve", "--port", String(port));
    expect(code).toBe(1);
    expect(stderr).toBe(
      `headgate: 127.0.0.1:${port} is taken by another program; choose another with --port, or 0 for any\n`,
    );
    await new Promise((resolve) => other.close(resolve));
  });

  it("tells every mistake of its flags at once", async () => {
    const { code, stderr } = await headgate("serve", "--port", "99999", "--backend", "ftp://x", "--queue-wait", "soon");
    expect(code).toBe(2);
    expect(stderr).toContain("--port");
    expect(stderr).toContain("--backend");
    expect(stderr).toContain("--queue-wait");
    expect(stderr).toContain("3 mistakes, nothing was started");
  });

  it("refuses flags that the file settles", async () => {
    const { code, stderr } = await headgate("serve", "--config", "headgate.yaml", "--port", "1");
    expect(code).toBe(2);
    expect(stderr).toContain("--port cannot be given together with --config");
  });
});

describe("headgate check", () => {
  it("tells every mistake with its line and column, and answers 2", async () => {
    const { file, remove } = configFile("server:\n  prot: 8080\ndeployments:\n  a:\n    backends: [not-a-url]\n");
    const { code, stdout } = await headgate("check", file);
    expect(code).toBe(2);
    expect(stdout).toContain(`${file}:2:3`);
    expect(stdout).toContain("port");
    expect(stdout).toContain(`${file}:5:16`);
    remove();
  });

  it("answers 0 for a good file, and prints JSON if asked", async () => {
    const { file, remove } = configFile("deployments:\n  a:\n    backends: [http://127.0.0.1:8081]\n");
    const { code, stdout } = await headgate("check", file, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ file, valid: true, problems: [] });
    remove();
  });

  it("says that a file is not there", async () => {
    const { code, stdout } = await headgate("check", "/nowhere/headgate.yaml");
    expect(code).toBe(2);
    expect(stdout).toContain("/nowhere/headgate.yaml");
  });
});

describe("headgate model", () => {
  it("runs a simulated model and lists the presets in its help", async () => {
    expect((await headgate("model", "--help")).stdout).toContain("strix-halo-235b");
    const model = start("model", "--port", "0", "--preset", "instant");
    const banner = await model.until("/sim/stats");
    const url = /http:\/\/127\.0\.0\.1:\d+(?=\/sim)/.exec(banner)?.[0] ?? "";
    expect(await (await fetch(`${url}/sim/stats`)).json()).toMatchObject({ concurrent: 0, wedged: false });
    model.child.kill("SIGINT");
    expect((await model.ended).code).toBe(0);
  });

  it("names the presets when one is unknown", async () => {
    const { code, stderr } = await headgate("model", "--preset", "gpt-9");
    expect(code).toBe(2);
    expect(stderr).toContain("nim-gpt-oss-20b");
  });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function headgate(...args: readonly string[]): Promise<Ended> {
  return start(...args).ended;
}

/** Starts the command as a user would. `until` resolves with what it has printed once that contains `text`. */
function start(...args: readonly string[]): {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  readonly until: (text: string) => Promise<string>;
} {
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined };
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/index.ts", ...args], { env });
  running.add(child);
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      running.delete(child);
      resolve({ code, stdout, stderr });
    });
  });
  const until = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (stdout.includes(text)) resolve(stdout);
      };
      child.stdout.on("data", look);
      child.on("close", () => reject(new Error(`ended without saying ${text}: ${stderr}`)));
      look();
    });
  return { child, ended, until };
}

function configFile(text: string): { readonly file: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "headgate-cli-"));
  const file = join(folder, "headgate.yaml");
  writeFileSync(file, text);
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
