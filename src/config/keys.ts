import { closest } from "./suggest.ts";
import { formatOutlinePath, keysAt, OUTLINE } from "./outline.ts";
import type { ConfigPath, Finding } from "./problem.ts";

const COMING_AT_THE_TOP = ["admin", "state", "consumers"];
const COMING_IN_A_DEPLOYMENT = ["capacity", "limits", "exceptions", "reservations"];

/** What is wrong with a key that the schema does not have: it comes with the next release, or nobody knows it. */
export function judgeKey(section: ConfigPath, key: string): Finding {
  const place = { severity: "error", path: [...section, key], at: "key" } as const;
  return comingKeys(section).includes(key)
    ? {
        ...place,
        rule: "is not in this version of Headgate",
        hint: "it comes with the next release; until then, take it out",
      }
    : { ...place, rule: "is an unknown key", hint: adviseOn(section, key) };
}

/** The keys that the next release has in a section. */
export function comingKeys(section: ConfigPath): readonly string[] {
  if (section.length === 0) return COMING_AT_THE_TOP;
  return section.length === 2 && section[0] === "deployments" ? COMING_IN_A_DEPLOYMENT : [];
}

/** What to say to someone who wrote `key` into a section that has no such key. */
function adviseOn(section: ConfigPath, key: string): string {
  if (key === "<<") return "merge keys are no part of YAML 1.2; an alias (*name) can stand for a whole value";
  const known = keysAt(section);
  const meant = closest(key, known);
  if (meant !== undefined) return `did you mean ${meant}?`;
  const home = OUTLINE.find((entry) => entry.path.at(-1) === key)?.path.slice(0, -1);
  return home === undefined
    ? `known here: ${known.join(", ")}`
    : `${key} belongs under ${formatOutlinePath(home) || "the top"}`;
}
