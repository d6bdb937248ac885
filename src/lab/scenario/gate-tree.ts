import { isMapping } from "../../config/tools.ts";
import { digestOf } from "../../gateway/auth/key.ts";

/*
 * A gate's configuration as plain values: how changes are merged into it, and how backends and keys are filled in.
 */

/** Stands for the backend of every deployment until the run knows where it is. */
export const BACKEND_PLACEHOLDER = "http://127.0.0.1:1";

export type Mapping = Readonly<Record<string, unknown>>;

/** Somebody who must be known to the gate. */
export interface Member {
  readonly name: string;
  /** What `gate.consumers` calls it, where it is one of several that are alike. */
  readonly family: string;
  readonly key: string;
}

export function toMapping(value: unknown): Mapping {
  return isMapping(value) ? Object.fromEntries(Object.entries(value)) : {};
}

/** Mappings key by key; of anything else, the later one. */
export function merge(before: unknown, after: unknown): unknown {
  if (!isMapping(before) || !isMapping(after)) return after;
  const merged = new Map<string, unknown>(Object.entries(before));
  for (const [key, value] of Object.entries(after)) {
    merged.set(key, merged.has(key) ? merge(merged.get(key), value) : value);
  }
  return Object.fromEntries(merged);
}

/** Puts backends and members into what the file says of a gate. What is no mapping is left as it is, for others to refuse. */
export function complete(tree: Mapping, members: readonly Member[]): Mapping {
  const { deployments, consumers } = tree;
  return {
    ...tree,
    ...(isMapping(deployments) && { deployments: withBackends(deployments, [BACKEND_PLACEHOLDER]) }),
    ...((consumers === undefined || isMapping(consumers)) && { consumers: withMembers(toMapping(consumers), members) }),
  };
}

/** The same deployments, each in front of these backends. */
export function withBackends(deployments: unknown, backends: readonly string[]): Mapping {
  return Object.fromEntries(
    Object.entries(toMapping(deployments)).map(([name, settings]) => [
      name,
      isMapping(settings) ? { ...toMapping(settings), backends } : settings,
    ]),
  );
}

function withMembers(consumers: Mapping, members: readonly Member[]): Mapping {
  const families = new Set(members.filter(({ name, family }) => name !== family).map(({ family }) => family));
  const others = Object.entries(consumers).filter(([name]) => !families.has(name));
  return {
    ...Object.fromEntries(others),
    ...Object.fromEntries(members.map((member) => [member.name, withKey(member, consumers)])),
  };
}

function withKey({ name, family, key }: Member, consumers: Mapping): unknown {
  const written = consumers[name] ?? consumers[family];
  if (written === undefined) return { keys: [`sha256:${digestOf(key)}`] };
  if (!isMapping(written) || isGroup(written)) return written;
  return { ...toMapping(written), keys: [`sha256:${digestOf(key)}`] };
}

export function isGroup(consumer: unknown): boolean {
  return toMapping(consumer)["kind"] === "group";
}
