import type { EpochMs } from "../../core/units.ts";
import type { Finding } from "../problem.ts";
import type { FileView } from "../view/view.ts";
import { checkAccess } from "./access.ts";
import { checkConsumers } from "./consumers.ts";
import { checkDeployments } from "./deployments.ts";
import { checkLimits } from "./limits.ts";
import { checkNames } from "./names.ts";
import { checkShares } from "./shares.ts";

/**
 * What no single key shows: mistakes that lie between keys, and legal settings that may surprise. `now` tells which keys have
 * expired.
 */
export function check(view: FileView, now?: EpochMs): readonly Finding[] {
  return [
    ...checkAccess(view),
    ...checkDeployments(view),
    ...checkConsumers(view, now),
    ...checkNames(view),
    ...view.deployments.flatMap((deployment) => [
      ...checkLimits(deployment.policy, view.consumers),
      ...checkShares(deployment, view.consumers),
    ]),
  ];
}
