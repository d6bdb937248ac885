import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);

/**
 * Tests what users get, not what we wrote: the packed tarball, installed into an empty folder. A missing entry in
 * `files`, a wrong path in `exports` or a dependency that is only there in development shows here and nowhere else.
 */
describe("the packed package", () => {
  let folder = "";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "headgate-dist-"));
    await run("npm", ["pack", "--pack-destination", folder, "--silent"]);
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
    await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", "--silent", `./${tarball}`], { cwd: folder });
  }, 240_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("imports by every subpath of its exports", async () => {
    const script = `
      for (const name of ${JSON.stringify(subpaths())}) {
        const module = await import(name, name.endsWith(".json") ? { with: { type: "json" } } : undefined);
        if (Object.keys(module).length === 0) throw new Error(name + " exports nothing");
        console.log(name);
      }`;
    const { stdout } = await run(process.execPath, ["--no-warnings", "--input-type=module", "-e", script], { cwd: folder });
    expect(stdout.trim().split("\n")).toEqual(subpaths());
  });

  it("has types for every subpath", () => {
    const paths = Object.values(manifest().exports).filter((path) => path.endsWith(".js"));
    for (const path of paths) {
      const types = join(folder, "node_modules/headgate", path.replace(/\.js$/, ".d.ts"));
      expect(readFileSync(types, "utf8")).not.toBe("");
    }
  });

  it("starts its command", async () => {
    const bin = join(folder, "node_modules/.bin/headgate");
    const { stdout } = await run(bin, ["--version"], { cwd: folder });
    expect(stdout.trim()).toBe(manifest().version);
  });

  it("ships no tests, no sources and nothing large", async () => {
    const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"]);
    const [packed] = JSON.parse(stdout) as [{ files: { path: string }[]; unpackedSize: number }];
    const strange = packed.files.map(({ path }) => path).filter((path) => /\.test\.|^src\/|^test\/|\.map$/.test(path));
    expect(strange).toEqual([]);
    expect(packed.unpackedSize).toBeLessThan(2_500_000);
  });
});

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
}

function manifest(): Manifest {
  return JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
}

function subpaths(): readonly string[] {
  return Object.keys(manifest().exports).map((path) => path.replace(/^\./, "headgate"));
}
