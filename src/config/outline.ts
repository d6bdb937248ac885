import type { z } from "zod";
import type { ConfigPath } from "./problem.ts";
import { jsonSchema } from "./schema/file.ts";

type Schema = z.core.JSONSchema.BaseSchema;

/** One key of the file. */
export interface OutlineEntry {
  /** Keys from the root; `<name>` stands for a name of the user's, `[]` for each item of a list. */
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly required: boolean;
}

const ANY_NAME = "<name>";
const ANY_ITEM = "[]";

/** Every key that the schema knows, parents before their children. */
export const OUTLINE: readonly OutlineEntry[] = [...entriesOf(jsonSchema(), [])];

function* entriesOf(schema: Schema, path: readonly string[]): Generator<OutlineEntry> {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    if (typeof child === "boolean") continue;
    yield { path: [...path, key], schema: child, required: schema.required?.includes(key) ?? false };
    yield* entriesOf(child, [...path, key]);
  }
  const { additionalProperties: named, items } = schema;
  if (typeof named === "object") {
    const namedPath = [...path, ANY_NAME];
    if (named.description !== undefined) yield { path: namedPath, schema: named, required: false };
    yield* entriesOf(named, namedPath);
  }
  if (typeof items === "object" && !Array.isArray(items)) yield* entriesOf(items, [...path, ANY_ITEM]);
  for (const branch of schema.anyOf ?? []) yield* entriesOf(branch, path);
}

const BY_PATH: ReadonlyMap<string, OutlineEntry> = new Map(OUTLINE.map((entry) => [nameOf(entry.path), entry]));
const SECTIONS: ReadonlySet<string> = new Set(
  OUTLINE.flatMap(({ path }) => path.map((_, index) => nameOf(path.slice(0, index + 1)))),
);

/** The keys that may stand in the mapping at `path`. */
export function keysAt(path: ConfigPath): readonly string[] {
  const section = generalise(path);
  const children = OUTLINE.filter(({ path }) => path.length === section.length + 1 && startsWith(path, section));
  return children.map((entry) => entry.path.at(-1) ?? "");
}

/** What the schema knows about the key at `path`. */
export function entryAt(path: ConfigPath): OutlineEntry | undefined {
  return BY_PATH.get(nameOf(generalise(path)));
}

/** The sections that have such a key, the outermost first. */
export function homesOf(key: string): readonly (readonly string[])[] {
  return OUTLINE.filter(({ path }) => path.at(-1) === key)
    .map(({ path }) => path.slice(0, -1))
    .toSorted((a, b) => a.length - b.length);
}

/** A part that is no key of the schema can only be a name of the user's. */
function generalise(path: ConfigPath): readonly string[] {
  const general: string[] = [];
  for (const part of path) {
    const known = typeof part === "string" && SECTIONS.has(nameOf([...general, part]));
    general.push(typeof part === "number" ? ANY_ITEM : known ? part : ANY_NAME);
  }
  return general;
}

function nameOf(path: readonly string[]): string {
  return path.join("\n");
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((part, index) => path[index] === part);
}

/** `deployments.<name>.backends[].url`. */
export function formatOutlinePath(path: readonly string[]): string {
  return path.join(".").replaceAll(`.${ANY_ITEM}`, ANY_ITEM);
}
