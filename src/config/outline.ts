import type { z } from "zod";
import type { ConfigPath } from "./problem.ts";
import { jsonSchema } from "./schema.ts";

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
    const childPath = [...path, key];
    yield { path: childPath, schema: child, required: schema.required?.includes(key) ?? false };
    yield* entriesOf(child, childPath);
  }
  const { additionalProperties: named, items } = schema;
  if (typeof named === "object") yield* entriesOf(named, [...path, ANY_NAME]);
  if (typeof items === "object" && !Array.isArray(items)) yield* entriesOf(items, [...path, ANY_ITEM]);
  for (const branch of schema.anyOf ?? []) yield* entriesOf(branch, path);
}

/** The keys that may stand in the mapping at `path`. */
export function keysAt(path: ConfigPath): readonly string[] {
  const section = generalise(path);
  const children = OUTLINE.filter(({ path }) => path.length === section.length + 1 && startsWith(path, section));
  return children.map((entry) => entry.path.at(-1) ?? "");
}

/** What the schema knows about the key at `path`. */
export function entryAt(path: ConfigPath): OutlineEntry | undefined {
  const general = generalise(path);
  return OUTLINE.find((entry) => entry.path.length === general.length && startsWith(entry.path, general));
}

function generalise(path: ConfigPath): readonly string[] {
  return path.map((part, index) =>
    typeof part === "number" ? ANY_ITEM : index === 1 && path[0] === "deployments" ? ANY_NAME : part,
  );
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((part, index) => path[index] === part);
}

/** `deployments.<name>.backends[].url`. */
export function formatOutlinePath(path: readonly string[]): string {
  return path.join(".").replaceAll(`.${ANY_ITEM}`, ANY_ITEM);
}
