import type { Finding } from "../problem.ts";
import { quote } from "../show.ts";
import { closest } from "../suggest.ts";
import type { Seen } from "../view/sight.ts";
import type { FileView } from "../view/view.ts";
import { error } from "./finding.ts";

/** Every name of a consumer that a deployment mentions has to be one. */
export function checkNames({ deployments, consumers }: FileView): readonly Finding[] {
  // What is wrong with `consumers` is known, and everything else would follow from it.
  if (consumers === undefined) return [];
  const known = [...consumers.keys()];
  return deployments.flatMap(({ policy: { names, allow } }) => {
    const listed = new Set<string>();
    return [
      ...names.filter(({ value }) => !consumers.has(value)).map((name) => unknownName(name, known, "key")),
      ...allow.flatMap((name) => {
        if (listed.has(name.value)) return [error(name.path, "is in this list twice", { received: quote(name.value) })];
        listed.add(name.value);
        return consumers.has(name.value) ? [] : [unknownName(name, known, "value")];
      }),
    ];
  });
}

/** What is wrong with a name that no consumer has. */
export function unknownName({ value, path }: Seen<string>, known: readonly string[], at: "key" | "value"): Finding {
  const meant = closest(value, known);
  const hint = meant === undefined ? listed(known) : `did you mean ${meant}?`;
  return error(path, "is no consumer of this file", { at, received: quote(value), hint });
}

const MOST_LISTED = 10;

function listed(names: readonly string[]): string {
  if (names.length === 0) return "there are none: they stand under consumers, at the top of the file";
  const more = names.length - MOST_LISTED;
  return `known: ${[...names.slice(0, MOST_LISTED), ...(more > 0 ? [`${more} more`] : [])].join(", ")}`;
}
