import { readBackendUrl, readHost } from "../address.ts";
import { readCidr } from "../cidr.ts";
import { readWord } from "../fields/field.ts";
import { readModelName } from "../fields/names.ts";
import { readPort } from "../fields/network.ts";
import { isMapping, valueAt } from "../plain.ts";
import type { ConfigPath } from "../problem.ts";
import { readCount, readSize } from "../units.ts";
import type { ConsumerView } from "./consumers.ts";
import { viewConsumers } from "./consumers.ts";
import type { PolicyView } from "./policy.ts";
import { viewPolicy } from "./policy.ts";
import type { Seen, Sight } from "./sight.ts";
import { ANY_AMOUNT, isGiven, itemsAt, listAt, namesAt, sight } from "./sight.ts";

/**
 * What can be understood of a file that may be wrong elsewhere. The checks that compare one key with another work on it, so
 * that a duplicate model is reported together with a mistyped duration and not one run later.
 */
export interface FileView {
  readonly host: Seen<string> | undefined;
  readonly port: Seen<number> | undefined;
  readonly maxBodySize: Seen<number> | undefined;
  readonly admin: AdminView | undefined;
  readonly deployments: readonly DeploymentView[];
  /** `undefined` where the file has something in their place that is no mapping. */
  readonly consumers: ReadonlyMap<string, ConsumerView> | undefined;
  readonly anonymous: Seen<"refuse" | "allow"> | undefined;
  readonly trustedProxies: readonly Seen<string>[];
  /** Which of these keys the file has, whatever they hold. */
  readonly given: Readonly<Record<"anonymous" | "identity" | "jwt", boolean>>;
}

interface AdminView {
  readonly host: Seen<string> | undefined;
  readonly port: Seen<number> | undefined;
  /** Whether a token is there, read or not; an empty one is none. */
  readonly hasToken: boolean;
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
  readonly policy: PolicyView;
}

export interface BackendView {
  readonly url: Seen<string>;
  readonly maxConcurrent: Seen<number> | undefined;
}

/** Reads everything that the checks compare. A value that no reader understands is left out; its own mistake is known. */
export function viewOf(tree: unknown): FileView {
  const see = sight(tree);
  return {
    host: see(["server", "host"], readHost),
    port: see(["server", "port"], readPort),
    maxBodySize: see(["server", "max_body_size"], (value) => readSize(value, ANY_AMOUNT)),
    admin: viewAdmin(tree),
    deployments: namesAt(tree, ["deployments"]).map((name) => viewDeployment(tree, name)),
    consumers: viewConsumers(tree),
    anonymous: see(["anonymous"], (value) => readWord(value, ["refuse", "allow"])),
    trustedProxies: itemsAt(tree, ["identity", "trusted_proxies"]).flatMap((item) => see(item, readCidr) ?? []),
    given: {
      anonymous: isGiven(tree, ["anonymous"]),
      identity: isGiven(tree, ["identity"]),
      jwt: isGiven(tree, ["jwt"]),
    },
  };
}

function viewAdmin(tree: unknown): AdminView | undefined {
  if (!isMapping(valueAt(tree, ["admin"]))) return undefined;
  const see = sight(tree);
  return {
    host: see(["admin", "host"], readHost),
    port: see(["admin", "port"], readPort),
    hasToken: isGiven(tree, ["admin", "token"]) && valueAt(tree, ["admin", "token"]) !== "",
  };
}

function viewDeployment(tree: unknown, name: string): DeploymentView {
  const see = sight(tree);
  const path = ["deployments", name];
  const queueGiven = isMapping(valueAt(tree, [...path, "queue"]));
  const backends = listAt(tree, [...path, "backends"]);
  return {
    name,
    path,
    modelsLeftOut: isMapping(valueAt(tree, path)) && !isGiven(tree, [...path, "models"]),
    models: itemsAt(tree, [...path, "models"]).flatMap((item) => see(item, readModelName) ?? []),
    backends: backends.flatMap((item, index) => viewBackend(see, item, [...path, "backends", index]) ?? []),
    backendCount: backends.length,
    maxConcurrent: see([...path, "max_concurrent"], (value) => readCount(value, ANY_AMOUNT)),
    queueMaxBytes: queueGiven
      ? see([...path, "queue", "max_bytes"], (value) => readSize(value, ANY_AMOUNT))
      : undefined,
    policy: viewPolicy(tree, path),
  };
}

function viewBackend(see: Sight, item: unknown, path: ConfigPath): BackendView | undefined {
  const url = see(typeof item === "string" ? path : [...path, "url"], readBackendUrl);
  return url === undefined
    ? undefined
    : { url, maxConcurrent: see([...path, "max_concurrent"], (value) => readCount(value, ANY_AMOUNT)) };
}
