import type { ConfigPath } from "./problem.ts";

/** What stands at a path of a plain tree. */
export function valueAt(tree: unknown, path: ConfigPath): unknown {
  let value = tree;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

/** Whether a plain value is what YAML calls a mapping. */
export function isMapping(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
