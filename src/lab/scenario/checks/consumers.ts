import type { Finding } from "../../../config/tools.ts";
import { closest, error, NAME, NAME_RULE, quote, valueAt, warning } from "../../../config/tools.ts";
import { POOL } from "../../../core/shares/types.ts";
import type { ConsumerView, ScenarioView, Seen } from "../view.ts";
import { given } from "../view.ts";

type Consumers = ReadonlyMap<string, ConsumerView>;

/** Names and keys of those who send load, and whether they do. */
export function checkConsumers(view: ScenarioView): readonly Finding[] {
  const { consumers } = view;
  if (consumers === undefined) return [];
  if (consumers.size === 0) return [error(["consumers"], "must hold at least one consumer")];
  return [
    ...[...consumers.values()].flatMap(checkName),
    ...checkMembers(consumers),
    ...checkKeys(view, consumers),
    ...checkSilent(view, consumers),
  ];
}

function checkName({ name, path }: ConsumerView): readonly Finding[] {
  if (!NAME.test(name)) return [error(path, NAME_RULE, { at: "key", received: quote(name) })];
  if (name !== POOL) return [];
  return [
    error(path, "is the name of the share of all who have no reservation; a consumer needs another", { at: "key" }),
  ];
}

/** `user` with a count of 40 is `user-7` too, and nobody else can be. */
function checkMembers(consumers: Consumers): readonly Finding[] {
  const owners = new Map<string, string>();
  return [...consumers.values()].flatMap(({ name, path, members }) => {
    const taken = members.find((member) => owners.has(member));
    for (const member of members) if (!owners.has(member)) owners.set(member, name);
    if (taken === undefined) return [];
    return [error(path, `would be ${taken}, as ${owners.get(taken)} is already`, { at: "key" })];
  });
}

function checkKeys({ tree }: ScenarioView, consumers: Consumers): readonly Finding[] {
  const owners = new Map<unknown, string>();
  return [...consumers.values()].flatMap(({ name, path, count }) => {
    const place = [...path, "key"];
    if (!given(tree, place)) return [];
    const key = valueAt(tree, place);
    const owner = owners.get(key);
    owners.set(key, owner ?? name);
    return [
      ...(owner === undefined ? [] : [error(place, `is the key of ${owner} already: they could not be told apart`)]),
      ...(count !== 1
        ? [
            error(place, "is one key for several: they could not be told apart", {
              at: "key",
              hint: "leave key or count out",
            }),
          ]
        : []),
    ];
  });
}

function checkSilent({ phases }: ScenarioView, consumers: Consumers): readonly Finding[] {
  const named = new Set(phases.flatMap(({ loads }) => loads.map(({ consumer }) => consumer)));
  // A name that nobody has may have been meant for this one; that is mistake enough.
  if ([...named].some((name) => !consumers.has(name)) || phases.length === 0) return [];
  return [...consumers.values()]
    .filter(({ name }) => !named.has(name))
    .map(({ path }) => warning(path, "sends nothing in any phase", undefined, "key"));
}

const MOST_LISTED = 10;

/** What is wrong with a name that no consumer has. */
export function unknownConsumer({ value, path }: Seen<string>, consumers: Consumers): Finding {
  const known = [...consumers.keys()];
  const meant = closest(value, known);
  const family = [...consumers.values()].find(({ members }) => members.includes(value));
  const more = known.length > MOST_LISTED ? `, ${known.length - MOST_LISTED} more` : "";
  const hint =
    family !== undefined
      ? `${value} is one of ${family.name}, which stands for each of them`
      : meant === undefined
        ? `known: ${known.slice(0, MOST_LISTED).join(", ")}${more}`
        : `did you mean ${meant}?`;
  return error(path, "is no consumer of this scenario", { at: "key", received: quote(value), hint });
}
