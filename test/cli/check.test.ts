import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

const DIGEST = "a".repeat(64);
const OLD = `deployments:
  gpt-oss-20b:
    backends: [http://127.0.0.1:8081]
    capacity: { requests_per_minute: 1000 }
    exceptions: { intern-notebook: { requests_per_minute: 20 } }
    reservations: { fraud: 30% }
consumers:
  fraud: { kind: deployment, keys: ["sha256:${DIGEST}"] }
  intern-notebook: {}
`;
const NEW = `server: { port: 8081 }\n${OLD}`
  .replace("minute: 20", "minute: 40")
  .replace("8081]", "8082]")
  .replace("intern-notebook: {}", "intern-notebook: {}\n  analyst: {}");
const BAD = OLD.replace("fraud: 30%", "fruad: 30%");
const EXPIRED = OLD.replace(`"sha256:${DIGEST}"`, `{ sha256: "${DIGEST}", expires: 2020-01-31 }`);

describe("headgate check", () => {
  let folder = "";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "headgate-check-"));
    for (const [name, text] of Object.entries({ OLD, NEW, BAD, EXPIRED })) writeFileSync(join(folder, name), text);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The same, whatever the folder is called. */
  const check = async (...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> => {
    const paths = args.map((argument) => (argument.startsWith("-") ? argument : join(folder, argument)));
    const { code, stdout } = await headgate("check", ...paths);
    return { code, stdout: stdout.replaceAll(`${folder}/`, "") };
  };

  it("shows who gets how much", async () => {
    const { code, stdout } = await check("OLD");
    expect(code).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "2 consumers (1 user, 1 deployment) with 1 key; others are refused

      gpt-oss-20b: 1k requests per minute, threshold 80%
        share          part  requests/min
        fraud           30%           300
        pool            70%           700
        exceptions  intern-notebook

      OLD: no problems
      "
    `);
  });

  it("gives the same as JSON", async () => {
    const { stdout } = await check("OLD", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      file: "OLD",
      valid: true,
      problems: [],
      summary: {
        consumers: { user: 1, deployment: 1 },
        deployments: [{ name: "gpt-oss-20b", shares: [{ name: "fraud", part: 0.3, requests_per_minute: 300 }, {}] }],
      },
    });
  });

  it("knows which keys have expired", async () => {
    const { code, stdout } = await check("EXPIRED");
    expect(code).toBe(0);
    expect(stdout).toContain("consumers.fraud.keys[0]  warning: expired on 2020-01-31");
    expect(stdout).toContain("EXPIRED: 1 warning\n");
  });

  it("says in words what changes from one file to another", async () => {
    const { code, stdout } = await check("--diff", "OLD", "NEW");
    expect(code).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "server.port 8080 → 8081: needs a restart
      gpt-oss-20b: backend http://127.0.0.1:8081/ is gone
      gpt-oss-20b: backend http://127.0.0.1:8082/ is new
      gpt-oss-20b: requests_per_minute of intern-notebook 20 → 40 (exception)
      consumer analyst is new

      OLD → NEW: 5 changes, 1 of them only after a restart
      "
    `);
  });

  it("gives the changes as JSON", async () => {
    const { stdout } = await check("--json", "--diff", "OLD", "NEW");
    expect(JSON.parse(stdout)).toMatchObject({
      old: "OLD",
      new: "NEW",
      valid: true,
      changes: [{ path: "server.port", text: "server.port 8080 → 8081", needs_restart: true }, {}, {}, {}, {}],
    });
  });

  it("finds no change in the same file", async () => {
    expect(await check("--diff", "OLD", "OLD")).toEqual({ code: 0, stdout: "OLD → OLD: no changes\n" });
  });

  it("compares nothing with a file that is wrong, and says what is", async () => {
    for (const files of [
      ["OLD", "BAD"],
      ["BAD", "OLD"],
    ]) {
      const { code, stdout } = await check("--diff", ...files);
      expect(code).toBe(2);
      expect(stdout).toContain("BAD:6:21");
      expect(stdout).toContain("did you mean fraud?");
    }
  });
});

function headgate(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ["--import", "tsx", "src/cli/index.ts", ...args], (error, stdout) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout });
    });
  });
}
