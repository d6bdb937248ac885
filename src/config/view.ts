import { readBackendUrl, readHost } from "./address.ts";
import { readModelName, readPort } from "./field.ts";
import { entryAt } from "./outline.ts";
import { isMapping, valueAt } from "./plain.ts";
import type { ConfigPath } from "./problem.ts";
import type { Reading } from "./units.ts";
import { readCount, readSize } from "./units.ts";

/** A value and where it stands. */
interface Seen<T> {
  readonly value: T;
  readonly path: ConfigPath;
}

/**
 * What can be understood of a file that may be wrong elsewhere. The checks that compare one key with another work on it, so
 * that a duplicate model is reported together with a mistyped duration and not one run later.
 */
export interface FileView {
  readonly host: Seen<string> | undefined;
  readonly port: Seen<number> | undefined;
  readonly maxBodySize: Seen<number> | undefined;
  readonly deployments: readonly DeploymentView[];
}

export interface DeploymentView {
  readonly name: string;
  readonly path: ConfigPath;
  readonly modelsLeftOut: boolean;
  readonly models: readonly Seen<string>[];
  readonly backends: readonly BackendView[];
  /** How many backends the list has, read or not. */
  readonly backendCount: number;
  readonly maxConcurrent: Seen<number> | undefined;
  readonly queueMaxBytes: Seen<number> | undefined;
}

export interface BackendView {
  readonly url: Seen<string>;
  readonly maxConcurrent: Seen<number> | undefined;
}

/** Reads everything that the checks compare. A value that no reader understands is left out; its own mistake is known. */
export function viewOf(tree: unknown): FileView {
  const see = sight(tree);
  const deployments = valueAt(tree, ["deployments"]);
  return {
    host: see(["server", "host"], readHost),
    port: see(["server", "port"], readPort),
    maxBodySize: see(["server", "max_body_size"], (value) => readSize(value, ANY)),
    deployments: isMapping(deployments) ? Object.keys(deployments).map((name) => viewDeployment(tree, name)) : [],
  };
}

const ANY = { min: 0, max: Infinity };

function viewDeployment(tree: unknown, name: string): DeploymentView {
  const see = sight(tree);
  const path = ["deployments", name];
  const queueGiven = isMapping(valueAt(tree, [...path, "queue"]));
  const backends = listAt(tree, [...path, "backends"]);
  return {
    name,
    path,
    modelsLeftOut: isMapping(valueAt(tree, path)) && valueAt(tree, [...path, "models"]) === undefined,
    models: listAt(tree, [...path, "models"]).flatMap(
      (_, index) => see([...path, "models", index], readModelName) ?? [],
    ),
    backends: backends.flatMap((item, index) => viewBackend(see, item, [...path, "backends", index]) ?? []),
    backendCount: backends.length,
    maxConcurrent: see([...path, "max_concurrent"], (value) => readCount(value, ANY)),
    queueMaxBytes: queueGiven ? see([...path, "queue", "max_bytes"], (value) => readSize(value, ANY)) : undefined,
  };
}

function viewBackend(see: Sight, item: unknown, path: ConfigPath): BackendView | undefined {
  const url = see(typeof item === "string" ? path : [...path, "url"], readBackendUrl);
  return url === undefined
    ? undefined
    : { url, maxConcurrent: see([...path, "max_concurrent"], (value) => readCount(value, ANY)) };
}

type Sight = <T>(path: ConfigPath, read: (value: unknown) => Reading<T>) => Seen<T> | undefined;

/** Looks at one key, or at the schema's default where the key is left out. */
function sight(tree: unknown): Sight {
  return (path, read) => {
    const section = valueAt(tree, path.slice(0, -1));
    const given = valueAt(tree, path);
    const leftOut = given === undefined && (section === undefined || isMapping(section));
    const reading = read(leftOut ? entryAt(path)?.schema.default : given);
    return reading.kind === "read" ? { value: reading.value, path } : undefined;
  };
}

function listAt(tree: unknown, path: ConfigPath): readonly unknown[] {
  const value = valueAt(tree, path);
  return Array.isArray(value) ? value : [];
}
