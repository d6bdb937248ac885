import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readConfig } from "../../src/config/index.ts";
import { looksLikeKey } from "../../src/gateway/auth/index.ts";

describe("headgate keys new", () => {
  it("prints the key, and nothing else, on stdout, and what to do with it on stderr", async () => {
    const { code, stdout, stderr } = await headgate("", "keys", "new", "alice");
    expect(code).toBe(0);
    expect(stdout.endsWith("\n")).toBe(true);
    const key = stdout.trim();
    expect(looksLikeKey(key)).toBe(true);
    expect(stderr).toContain(`  alice:\n    keys: ["sha256:${sha256(key)}"]\n`);
    expect(stderr).not.toContain(key);
  });

  it("prints lines that the file takes", async () => {
    const { stderr } = await headgate("", "keys", "new", "7:true", "--expires", "2090-01-31");
    const config = await read(
      `deployments:\n  a:\n    backends: [http://127.0.0.1:8081]\n${stderr.slice(stderr.indexOf("consumers:"))}`,
    );
    expect(config).toMatchObject({ kind: "valid" });
    expect(config.kind === "valid" && config.config.consumers).toMatchObject([
      {
        name: "7:true",
        keys: [{ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), expiresAt: Date.parse("2090-01-31") }],
      },
    ]);
  });

  it("prints JSON if asked", async () => {
    const { code, stdout, stderr } = await headgate("", "keys", "new", "alice", "--expires", "90d", "--json");
    const { name, key, sha256: digest, expires, line } = JSON.parse(stdout) as Record<string, string>;
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(name).toBe("alice");
    expect(looksLikeKey(key ?? "")).toBe(true);
    expect(digest).toBe(sha256(key ?? ""));
    expect(expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(line).toBe(`keys: [{ sha256: "${digest}", expires: "${expires}" }]`);
  });

  it.each([
    [["a b"], "NAME must be"],
    [["alice", "--expires", "soon"], "--expires must be"],
    [["alice", "--expires", "2027-02-30"], "--expires must be"],
    [["alice", "--expires", "0d"], "--expires must lie in the future"],
    [["alice", "--expires", "2020-01-01"], "--expires must lie in the future"],
    [[], "missing required argument 'name'"],
    [["alice", "--expire", "90d"], "Did you mean --expires?"],
  ])("says what is wrong with %j, and makes none", async (args, message) => {
    const { code, stdout, stderr } = await headgate("", "keys", "new", ...args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(message);
  });
});

describe("headgate keys hash", () => {
  const key = "hg_live_000000000000000000000000000000000_2itHix";

  it("prints the line for a key from standard input", async () => {
    const { code, stdout, stderr } = await headgate(`${key}\n`, "keys", "hash");
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `keys: ["sha256:${sha256(key)}"]\n`, stderr: "" });
  });

  it("prints JSON if asked", async () => {
    const { stdout } = await headgate(key, "keys", "hash", "--json");
    expect(JSON.parse(stdout)).toEqual({ sha256: sha256(key), line: `keys: ["sha256:${sha256(key)}"]` });
  });

  it.each([
    ["mistyped", key.replace("2itHix", "2itHiy")],
    ["short", "letmein"],
  ])("warns of a key that is %s, without showing it", async (word, text) => {
    const { code, stdout, stderr } = await headgate(text, "keys", "hash");
    expect(code).toBe(0);
    expect(stdout).toBe(`keys: ["sha256:${sha256(text)}"]\n`);
    expect(stderr).toMatch(new RegExp(`^warning: .*${word}`));
    expect(stderr).not.toContain(text);
  });

  it.each(["", "\n", "two words", `${key}\n${key}\n`, "schlüssel", "x".repeat(513), "x".repeat(100_000)])(
    "refuses what cannot be a key (case %#)",
    async (text) => {
      const { code, stdout, stderr } = await headgate(text, "keys", "hash");
      expect(code).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toContain("a key is one line");
    },
  );
});

describe("headgate keys", () => {
  it.each(["keys", "keys new", "keys hash"])("shows an example in the help of %s", async (command) => {
    const { code, stdout } = await headgate("", ...command.split(" "), "--help");
    expect(code).toBe(0);
    expect(stdout).toContain(`$ headgate ${command}`);
  });

  it("without a command says which there are", async () => {
    const { code, stderr } = await headgate("", "keys");
    expect(code).toBe(2);
    expect(stderr).toContain("hash");
  });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as a user would, with this on its standard input. */
function headgate(input: string, ...args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined };
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/index.ts", ...args], { env });
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  // It may have read all it wants, and be gone.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

async function read(text: string): ReturnType<typeof readConfig> {
  const folder = mkdtempSync(join(tmpdir(), "headgate-keys-"));
  const file = join(folder, "headgate.yaml");
  writeFileSync(file, text);
  const result = await readConfig(file, {});
  rmSync(folder, { recursive: true });
  return result;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
