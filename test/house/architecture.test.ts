import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { describe, expect, it } from "vitest";

/** What each folder of src/ may import. `types` after a folder: its types only. ARCHITECTURE.md shows the same table. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  contracts: ["core types"],
  engine: ["core", "contracts"],
  testing: ["core", "contracts"],
  config: ["core", "contracts", "node:", "zod", "yaml"],
  gateway: ["core", "contracts", "engine", "config types", "node:", "undici", "jose", "gpt-tokenizer"],
  batch: ["core", "contracts", "engine", "node:", "undici"],
  lab: ["core", "contracts", "engine", "testing", "config", "gateway", "node:", "zod", "undici"],
  cli: ["core", "contracts", "engine", "config", "gateway", "batch", "lab", "node:", "commander"],
};

const MOST_LINES = 400;
const MEDIAN_LINES = 120;

interface Import {
  readonly target: string;
  readonly typesOnly: boolean;
}

interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

const files = sourceFiles("src");

describe("the architecture", () => {
  it("lets each folder import only what the table allows", () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((entry) => !isAllowed(file.folder, entry))
        .map(({ target }) => `${file.path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("has a row in the table for every folder", () => {
    const folders = new Set(files.map((file) => file.folder).filter((folder) => folder !== ""));
    expect([...folders].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  it("finds the imports that it judges", () => {
    expect(files.find((file) => file.path === "src/gateway/gateway.ts")?.imports).toContainEqual({
      target: "config",
      typesOnly: true,
    });
  });

  it("keeps every file within 400 lines and the median near 100", () => {
    expect(files.filter((file) => file.lines > MOST_LINES).map((file) => file.path)).toEqual([]);
    const sizes = files.map((file) => file.lines).sort((a, b) => a - b);
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(MEDIAN_LINES);
  });

  it("knows the system's time in one file only", () => {
    const clock = /\b(?:Date\.now|performance\.now|setTimeout|setInterval|Math\.random)\b/;
    const wrong = files.filter(({ path, folder }) => {
      const watched = folder !== "cli" && path !== "src/engine/clock.ts";
      return watched && clock.test(withoutComments(readFileSync(path, "utf8")));
    });
    expect(wrong.map((file) => file.path)).toEqual([]);
  });
});

function isAllowed(folder: string, { target, typesOnly }: Import): boolean {
  // The public door re-exports from everywhere.
  if (folder === "" || target === folder) return true;
  return (MAY_IMPORT[folder] ?? []).some((entry) => {
    const [name = "", types] = entry.split(" ");
    if (types === "types" && !typesOnly) return false;
    return name === "node:" ? target.startsWith(name) : target === name || target.startsWith(`${name}/`);
  });
}

function sourceFiles(root: string): readonly SourceFile[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => {
      const path = join(root, name);
      const text = readFileSync(path, "utf8");
      return { path, folder: folderOf(path), lines: text.split("\n").length - 1, imports: importsOf(path, text) };
    });
}

function importsOf(path: string, text: string): readonly Import[] {
  const found = text.matchAll(/^(?:import|export)\s+(type\s)?([^;]*?)\bfrom\s+"([^"]+)"|\bimport\("([^"]+)"\)/gms);
  return [...found].map(([, type, names = "", fixed, lazy]) => {
    const target = fixed ?? lazy ?? "";
    const inline = /^\s*\{(?:\s*type\s+[\w$]+(?:\s+as\s+[\w$]+)?\s*,?)+\s*\}\s*$/.test(names);
    return { target: resolveTarget(path, target), typesOnly: type !== undefined || inline };
  });
}

function resolveTarget(path: string, target: string): string {
  return target.startsWith(".") ? folderOf(join(dirname(path), target)) : target;
}

/** `src/core/rate/x.ts` → `core`; a file that stands in src/ itself → "". */
function folderOf(path: string): string {
  const [first = "", second] = relative("src", path).split("/");
  return second === undefined ? "" : first;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}
