import type { z } from "zod";
import type { Guide } from "./guide.ts";
import { judgeKey } from "./keys.ts";
import type { ConfigPath, Finding } from "./problem.ts";
import { valueAt } from "./plain.ts";
import { showValue } from "./show.ts";

type Issue = z.core.$ZodIssue;

/** A tree, and what advice on its mistakes is taken from. */
interface Judged {
  readonly tree: unknown;
  readonly guide: Guide;
}

/** What zod has against a tree, in our own words. */
export function toFindings(judged: Judged, issues: readonly Issue[], parent: ConfigPath = []): readonly Finding[] {
  return issues.flatMap((issue) => {
    const path = [...parent, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
    return findingsOf(judged, issue, path);
  });
}

function findingsOf(judged: Judged, issue: Issue, path: ConfigPath): readonly Finding[] {
  const { tree, guide } = judged;
  const value = valueAt(tree, path);
  const about = { severity: "error", path, at: "value" } as const;
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => judgeKey(guide, path, key));
    case "invalid_union":
      return toFindings(judged, branchFor(issue.errors), path);
    case "custom":
      return [{ ...about, rule: issue.message, received: showValue(path, value), ...faultOf(issue.params) }];
    case "invalid_type":
      return [{ ...about, ...typeRule(issue.expected, { path, value, guide }) }];
    case "too_small":
      return [{ ...about, rule: "must have at least one item" }];
    case "too_big":
    case "invalid_format":
    case "not_multiple_of":
    case "invalid_key":
    case "invalid_element":
    case "invalid_value":
      // The schema has no such rule of zod's; zod's own words are better than none.
      return [{ ...about, rule: `is refused: ${issue.message}`, received: showValue(path, value) }];
  }
}

/** A list or mapping that is missing, empty, or something else. */
function typeRule(
  expected: string,
  { path, value, guide }: { readonly path: ConfigPath; readonly value: unknown; readonly guide: Guide },
): Pick<Finding, "rule" | "received" | "hint" | "absent"> {
  if (value === undefined) return { rule: "is missing", absent: true };
  if (value === null) return { rule: "is empty", hint: guide.emptyHint(path), absent: true };
  const received = showValue(path, value);
  if (expected === "array") {
    const hint = typeof value === "string" ? "put it in brackets, or on a line of its own after a dash" : undefined;
    return { rule: "must be a list", received, hint };
  }
  return { rule: "must be a mapping of keys to values", received };
}

/** A union of ours is "text, list or mapping": the branch that fits what was written has the errors that help. */
function branchFor(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const fits = (branch: readonly Issue[]): boolean =>
    !branch.some(({ code, path }) => path.length === 0 && (code === "custom" || code === "invalid_type"));
  return branches.find(fits) ?? branches[0] ?? [];
}

/** The hint that one of our fields put beside its rule. */
function faultOf(params: Readonly<Record<string, unknown>> | undefined): Pick<Finding, "hint" | "absent"> {
  const hint = params?.["hint"];
  return { hint: typeof hint === "string" ? hint : undefined, absent: params?.["absent"] === true };
}
