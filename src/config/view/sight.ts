import { OWN_GUIDE } from "../own-guide.ts";
import { isMapping, valueAt } from "../plain.ts";
import type { ConfigPath } from "../problem.ts";
import type { Range, Reading } from "../units.ts";

/** A value and where it stands. */
export interface Seen<T> {
  readonly value: T;
  readonly path: ConfigPath;
}

/** Reads the value at a path; nothing where there is none or its reader refuses it. */
export type Sight = <T>(path: ConfigPath, read: (value: unknown) => Reading<T>) => Seen<T> | undefined;

/** Looks at one key, or at the schema's default where the key is left out. */
export function sight(tree: unknown): Sight {
  return (path, read) => {
    const section = valueAt(tree, path.slice(0, -1));
    const given = valueAt(tree, path);
    const leftOut = given === undefined && (section === undefined || isMapping(section));
    const reading = read(leftOut ? OWN_GUIDE.outline.entryAt(path)?.schema.default : given);
    return reading.kind === "read" ? { value: reading.value, path } : undefined;
  };
}

/** Whether the key is there, whatever it holds. */
export function isGiven(tree: unknown, path: ConfigPath): boolean {
  return valueAt(tree, path) !== undefined;
}

export function listAt(tree: unknown, path: ConfigPath): readonly unknown[] {
  const value = valueAt(tree, path);
  return Array.isArray(value) ? value : [];
}

/** The paths of everything in a list. */
export function itemsAt(tree: unknown, path: ConfigPath): readonly ConfigPath[] {
  return listAt(tree, path).map((_, index) => [...path, index]);
}

/** The names in a mapping of the user's own. */
export function namesAt(tree: unknown, path: ConfigPath): readonly string[] {
  const value = valueAt(tree, path);
  return isMapping(value) ? Object.keys(value) : [];
}

/** For keys whose range is the schema's matter. */
export const ANY_AMOUNT: Range = { min: 0, max: Infinity };
