import type { Guide } from "./guide.ts";
import { formatOutlinePath } from "./outline.ts";
import type { ConfigPath, Finding } from "./problem.ts";
import { closest } from "./suggest.ts";

/** What is wrong with a key that the schema does not have: it comes with the next release, or nobody knows it. */
export function judgeKey(guide: Guide, section: ConfigPath, key: string): Finding {
  const place = { severity: "error", path: [...section, key], at: "key" } as const;
  return section.length === 0 && guide.coming.includes(key)
    ? {
        ...place,
        rule: "is not in this version of Headgate",
        hint: "it comes with the next release; until then, take it out",
      }
    : { ...place, rule: "is an unknown key", hint: adviseOn(guide, section, key) };
}

/** What to say to someone who wrote `key` into a section that has no such key. */
function adviseOn({ outline, knownAs }: Guide, section: ConfigPath, key: string): string {
  if (key === "<<") return "merge keys are no part of YAML 1.2; an alias (*name) can stand for a whole value";
  const known = outline.keysAt(section);
  const alias = knownAs.get(key.toLowerCase());
  const meant = alias !== undefined && known.includes(alias) ? alias : closest(key, known);
  if (meant !== undefined) return `did you mean ${meant}?`;
  const homes = outline.homesOf(key).map((home) => formatOutlinePath(home) || "the top");
  return homes.length === 0
    ? `known here: ${known.join(", ")}`
    : `${key} belongs under ${homes.slice(0, 2).join(" or ")}`;
}
