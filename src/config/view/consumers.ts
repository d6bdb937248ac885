import type { EpochMs } from "../../core/units.ts";
import { readWord } from "../fields/field.ts";
import { readConsumerName } from "../fields/names.ts";
import { readDigest, readDigits, readInstant } from "../fields/secrets.ts";
import { isMapping, valueAt } from "../plain.ts";
import type { ConfigPath } from "../problem.ts";
import type { ConsumerKind } from "../types.ts";
import type { Seen, Sight } from "./sight.ts";
import { itemsAt, listAt, namesAt, sight } from "./sight.ts";

export interface ConsumerView {
  readonly name: string;
  readonly path: ConfigPath;
  /** `undefined` where the file says something that is no kind. */
  readonly kind: ConsumerKind | undefined;
  readonly groups: readonly Seen<string>[];
  readonly keys: readonly KeyView[];
  /** How many keys and groups the lists have, read or not. */
  readonly keyCount: number;
  readonly groupCount: number;
}

interface KeyView {
  readonly digest: Seen<string>;
  readonly expiresAt: EpochMs | undefined;
}

const KINDS: readonly ConsumerKind[] = ["user", "group", "deployment", "agent"];

/** All consumers by name; `undefined` where the file has something else in their place. */
export function viewConsumers(tree: unknown): ReadonlyMap<string, ConsumerView> | undefined {
  const given = valueAt(tree, ["consumers"]);
  if (given !== undefined && !isMapping(given)) return undefined;
  return new Map(namesAt(tree, ["consumers"]).map((name) => [name, viewConsumer(tree, name)]));
}

function viewConsumer(tree: unknown, name: string): ConsumerView {
  const see = sight(tree);
  const path = ["consumers", name];
  return {
    name,
    path,
    kind: see([...path, "kind"], (value) => readWord(value, KINDS))?.value,
    groups: itemsAt(tree, [...path, "groups"]).flatMap((item) => see(item, readConsumerName) ?? []),
    keys: itemsAt(tree, [...path, "keys"]).flatMap((item) => viewKey(see, valueAt(tree, item), item) ?? []),
    keyCount: listAt(tree, [...path, "keys"]).length,
    groupCount: listAt(tree, [...path, "groups"]).length,
  };
}

function viewKey(see: Sight, item: unknown, path: ConfigPath): KeyView | undefined {
  const digest = isMapping(item) ? see([...path, "sha256"], readDigits) : see(path, readDigest);
  return digest && { digest, expiresAt: see([...path, "expires"], readInstant)?.value };
}
