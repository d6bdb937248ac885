import type { EpochMs } from "../core/units.ts";
import { check } from "./checks/check.ts";
import { toFindings } from "./issues.ts";
import { OWN_GUIDE } from "./own-guide.ts";
import { isMapping, valueAt } from "./plain.ts";
import type { Finding } from "./problem.ts";
import { readSchema } from "./schema/file.ts";
import type { Config } from "./types.ts";
import { viewOf } from "./view/view.ts";

/** What a plain tree comes to: a configuration if the schema takes it, and everything there is to say about it. */
export interface Judgement {
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Holds a tree against the schema and against the checks between keys. The file and the flags both end here. `now` tells
 * which keys have expired.
 */
export function judge(tree: unknown, now?: EpochMs): Judgement {
  const reading = readSchema(tree);
  const findings = [
    ...(reading.kind === "refused" ? toFindings({ tree, guide: OWN_GUIDE }, reading.issues) : []),
    ...checkDeploymentCount(tree),
    ...check(viewOf(tree), now),
  ];
  return { config: reading.kind === "read" ? reading.config : undefined, findings };
}

function checkDeploymentCount(tree: unknown): readonly Finding[] {
  const deployments = valueAt(tree, ["deployments"]);
  if (!isMapping(deployments) || Object.keys(deployments).length > 0) return [];
  return [{ severity: "error", path: ["deployments"], at: "value", rule: "must hold at least one deployment" }];
}
