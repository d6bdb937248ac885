import type { z } from "zod";
import type { ConfigPath } from "./problem.ts";

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

/** Every key that a schema knows, and where it may stand. */
export class Outline {
  /** Parents before their children. */
  readonly entries: readonly OutlineEntry[];
  readonly #byPath: ReadonlyMap<string, OutlineEntry>;
  readonly #sections: ReadonlySet<string>;

  /** From the JSON Schema of a file before variables are filled in. */
  constructor(schema: Schema) {
    this.entries = [...entriesOf(schema, [])];
    this.#byPath = new Map(this.entries.map((entry) => [nameOf(entry.path), entry]));
    this.#sections = new Set(
      this.entries.flatMap(({ path }) => path.map((_, index) => nameOf(path.slice(0, index + 1)))),
    );
  }

  /** The keys that may stand in the mapping at `path`. */
  keysAt(path: ConfigPath): readonly string[] {
    const section = this.#generalise(path);
    const children = this.entries.filter(
      ({ path }) => path.length === section.length + 1 && startsWith(path, section) && path.at(-1) !== ANY_NAME,
    );
    return children.map((entry) => entry.path.at(-1) ?? "");
  }

  /** What the schema knows about the key at `path`. */
  entryAt(path: ConfigPath): OutlineEntry | undefined {
    return this.#byPath.get(nameOf(this.#generalise(path)));
  }

  /** The sections that have such a key, the outermost first. */
  homesOf(key: string): readonly (readonly string[])[] {
    return this.entries
      .filter(({ path }) => path.at(-1) === key)
      .map(({ path }) => path.slice(0, -1))
      .toSorted((a, b) => a.length - b.length);
  }

  /** A part that is no key of the schema can only be a name of the user's. */
  #generalise(path: ConfigPath): readonly string[] {
    const general: string[] = [];
    for (const part of path) {
      const known = typeof part === "string" && this.#sections.has(nameOf([...general, part]));
      general.push(typeof part === "number" ? ANY_ITEM : known ? part : ANY_NAME);
    }
    return general;
  }
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
