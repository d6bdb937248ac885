import { POOL } from "../../core/shares/types.ts";
import type { EpochMs } from "../../core/units.ts";
import type { ConfigPath, Finding } from "../problem.ts";
import { formatPath, quote } from "../show.ts";
import type { ConsumerView } from "../view/consumers.ts";
import type { FileView } from "../view/view.ts";
import { error, NAME, NAME_RULE, warning } from "./finding.ts";
import { unknownName } from "./names.ts";

/** Names, groups and keys of the consumers. */
export function checkConsumers({ consumers }: FileView, now?: EpochMs): readonly Finding[] {
  if (consumers === undefined) return [];
  return [
    ...[...consumers.values()].flatMap((consumer) => [
      ...checkName(consumer),
      ...(consumer.kind === "group" ? checkGroup(consumer, consumers) : checkMember(consumer, consumers)),
      ...checkExpiry(consumer, now),
    ]),
    ...checkDigests(consumers),
  ];
}

function checkName({ name, path }: ConsumerView): readonly Finding[] {
  if (!NAME.test(name)) return [error(path, NAME_RULE, { at: "key", received: quote(name) })];
  const rule = "is the name of the share of all who have no reservation; a consumer needs another";
  return name === POOL ? [error(path, rule, { at: "key" })] : [];
}

/** A group is its members: it does not ask itself. */
function checkGroup(
  { name, path, keyCount, groupCount }: ConsumerView,
  consumers: ReadonlyMap<string, ConsumerView>,
): readonly Finding[] {
  const own = (key: string, hint: string): Finding =>
    error([...path, key], "is nothing that a group can have", { at: "key", hint });
  const memberships = [...consumers.values()].flatMap(({ groups }) => groups.map(({ value }) => value));
  // A name that nobody has may have been meant for this one; that is mistake enough.
  const empty = !memberships.includes(name) && memberships.every((group) => consumers.has(group));
  return [
    ...(keyCount > 0 ? [own("keys", "give each of its members a key")] : []),
    ...(groupCount > 0 ? [own("groups", "groups hold users, deployments and agents, never groups")] : []),
    ...(empty ? [warning(path, "is a group without members", `groups: [${name}] makes a consumer one`, "key")] : []),
  ];
}

function checkMember({ groups }: ConsumerView, consumers: ReadonlyMap<string, ConsumerView>): readonly Finding[] {
  const seen = new Set<string>();
  return groups.flatMap(({ value, path }) => {
    const received = quote(value);
    if (seen.has(value)) return [error(path, "is in this list twice", { received })];
    seen.add(value);
    const group = consumers.get(value);
    if (group === undefined) return [unknownName({ value, path }, groupsOf(consumers), "value")];
    if (group.kind === undefined || group.kind === "group") return [];
    const hint = `kind: group at consumers.${value} makes it one`;
    return [error(path, `is no group but ${article(group.kind)}`, { received, hint })];
  });
}

function groupsOf(consumers: ReadonlyMap<string, ConsumerView>): readonly string[] {
  return [...consumers.values()].filter(({ kind }) => kind === "group").map(({ name }) => name);
}

function article(kind: string): string {
  return /^[aeio]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}

function checkExpiry({ keys }: ConsumerView, now: EpochMs | undefined): readonly Finding[] {
  return keys.flatMap(({ digest, expiresAt }) => {
    if (now === undefined || expiresAt === undefined || expiresAt > now) return [];
    // A mapping is named by the list that it stands in, not by one of its keys.
    const path = digest.path.at(-1) === "sha256" ? digest.path.slice(0, -1) : digest.path;
    const day = new Date(expiresAt).toISOString().replace("T00:00:00.000Z", "");
    return [
      warning(path, `expired on ${day}: it opens nothing any more`, "take it out, or put a new key in its place"),
    ];
  });
}

/** One key, one consumer: the digest is how a request is recognised. */
function checkDigests(consumers: ReadonlyMap<string, ConsumerView>): readonly Finding[] {
  const owners = new Map<string, ConfigPath>();
  return [...consumers.values()].flatMap(({ path: own, keys }) =>
    keys.flatMap(({ digest: { value, path } }) => {
      const owner = owners.get(value);
      owners.set(value, owner ?? own);
      if (owner === undefined) return [];
      return [error(path, owner === own ? "is in this list twice" : `is a key of ${formatPath(owner)} already`)];
    }),
  );
}
