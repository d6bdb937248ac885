import { execFile } from "node:child_process";
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
