import { closest } from "./suggest.ts";
import { formatOutlinePath, homesOf, keysAt } from "./outline.ts";
import type { ConfigPath, Finding } from "./problem.ts";

/** The keys that the next release has at the top. */
export const COMING: readonly string[] = ["state"];

/** What others call our keys. */
const KNOWN_AS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    rps: "requests_per_second",
    rpm: "requests_per_minute",
    rph: "requests_per_hour",
    rpd: "requests_per_day",
    tpm: "tokens_per_minute",
    tph: "tokens_per_hour",
    tpd: "tokens_per_day",
    threshold: "utilization_threshold",
    allowed: "allow",
  }),
);

/** What is wrong with a key that the schema does not have: it comes with the next release, or nobody knows it. */
export function judgeKey(section: ConfigPath, key: string): Finding {
  const place = { severity: "error", path: [...section, key], at: "key" } as const;
  return section.length === 0 && COMING.includes(key)
    ? {
        ...place,
        rule: "is not in this version of Headgate",
        hint: "it comes with the next release; until then, take it out",
      }
    : { ...place, rule: "is an unknown key", hint: adviseOn(section, key) };
}

/** What to say to someone who wrote `key` into a section that has no such key. */
function adviseOn(section: ConfigPath, key: string): string {
  if (key === "<<") return "merge keys are no part of YAML 1.2; an alias (*name) can stand for a whole value";
  const known = keysAt(section);
  const alias = KNOWN_AS.get(key.toLowerCase());
  const meant = alias !== undefined && known.includes(alias) ? alias : closest(key, known);
  if (meant !== undefined) return `did you mean ${meant}?`;
  const homes = homesOf(key).map((home) => formatOutlinePath(home) || "the top");
  return homes.length === 0
    ? `known here: ${known.join(", ")}`
    : `${key} belongs under ${homes.slice(0, 2).join(" or ")}`;
}
