import { promises as fs } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { closest } from "../../config/tools.ts";
import { readScenario } from "./read.ts";

/** The scenarios that come with Headgate; from `src/` and from `dist/` the same way. */
const FOLDER = fileURLToPath(new URL("../../../scenarios/", import.meta.url));
const ENDING = ".yaml";

/** One that is built in. */
interface ListedScenario {
  readonly name: string;
  readonly description: string;
  readonly path: string;
}

/** All that are built in, by name. Throws if one of them is broken. */
export async function listScenarios(): Promise<readonly ListedScenario[]> {
  return Promise.all(
    (await builtIn()).map(async (name) => {
      const path = pathOf(name);
      const result = await readScenario(path, {});
      if (result.kind === "invalid") throw new Error(`${path}: ${result.problems[0]?.rule ?? "is broken"}`);
      return { name, description: result.scenario.description, path };
    }),
  );
}

/** Where a scenario is, or why there is none. */
type FoundScenario =
  | { readonly kind: "found"; readonly path: string }
  | { readonly kind: "unknown"; readonly rule: string; readonly hint: string };

/** Finds a scenario by the name of one that is built in, or else by its path. */
export async function findScenario(nameOrPath: string): Promise<FoundScenario> {
  const names = await builtIn();
  if (names.includes(nameOrPath)) return { kind: "found", path: pathOf(nameOrPath) };
  // What is written as a path is one, and reading it says what is wrong with it.
  if (/[/\\]|\.ya?ml$/i.test(nameOrPath) || (await exists(nameOrPath))) return { kind: "found", path: nameOrPath };
  const meant = closest(nameOrPath, names);
  const hint = meant === undefined ? `built in: ${names.join(", ")}` : `did you mean ${meant}?`;
  return { kind: "unknown", rule: "is neither a built-in scenario nor a file", hint };
}

async function builtIn(): Promise<readonly string[]> {
  const files = await fs.readdir(FOLDER);
  return files
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .toSorted();
}

function pathOf(name: string): string {
  return join(FOLDER, `${name}${ENDING}`);
}

async function exists(path: string): Promise<boolean> {
  return fs.stat(path).then(
    () => true,
    () => false,
  );
}
