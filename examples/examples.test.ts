import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

const run = promisify(execFile);

describe("the examples", () => {
  it("embed: three requests through two seats", async () => {
    const { stdout } = await run(process.execPath, ["examples/embed/embed.mjs"]);
    expect(stdout.trim().split("\n")).toEqual([
      '200 {"answer":42}',
      '200 {"answer":42}',
      '200 {"answer":42}',
      "3 admitted through 2 seats",
    ]);
  });

  it.each(["openai", "fetch", "langchain"])("batch/%s: ten calls under 2/s, and none refused", async (name) => {
    const model = await startModel("--rate-limit", "2/s", "--window", "sliding", "--latency", "100ms..500ms");
    try {
      const env = { ...process.env, OPENAI_BASE_URL: `${model.url}/v1`, OPENAI_API_KEY: "none" };
      const { stdout } = await run(process.execPath, [`examples/batch/${name}.mjs`], { env });
      expect(stdout).toBe("10 answers, 10 requests, at most 2 in any second\n");
      expect(await (await fetch(`${model.url}/sim/stats`)).json()).toMatchObject({
        requests: { completed: 10 },
        rate_limit: { refused: 0, worst_in_any_window: 2 },
      });
    } finally {
      await model.stop();
    }
  });

  it("fragile-gpu: the file has no mistakes", async () => {
    const { stdout } = await run(process.execPath, [
      "dist/cli/index.js",
      "check",
      "examples/fragile-gpu/headgate.yaml",
    ]);
    expect(stdout).toBe("examples/fragile-gpu/headgate.yaml: no problems\n");
  });

  it("six-teams: the file has no mistakes", async () => {
    const { stdout } = await run(process.execPath, ["dist/cli/index.js", "check", "examples/six-teams/headgate.yaml"]);
    expect(stdout).toMatch(/^ {2}fraud-detection +30% +300$/m);
    expect(stdout).toContain("examples/six-teams/headgate.yaml: no problems\n");
  });
});

interface RunningModel {
  readonly url: string;
  stop(): Promise<void>;
}

/** Runs `headgate model` until it says where it listens. */
async function startModel(...args: readonly string[]): Promise<RunningModel> {
  const flags = ["dist/cli/index.js", "model", "--port", "0", "--preset", "instant", ...args];
  const child = spawn(process.execPath, flags, { stdio: ["ignore", "pipe", "ignore"] });
  const url = await new Promise<string>((resolve, reject) => {
    let words = "";
    child.stdout.on("data", (piece: Buffer) => {
      words += String(piece);
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(words)?.[0];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", () => reject(new Error(`headgate model ended: ${words}`)));
  });
  return {
    url,
    stop: async () => {
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}
