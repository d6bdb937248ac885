import type { LimitUsage } from "../engine/admission/types.ts";
import type { Caller } from "./auth/index.ts";
import type { Deployment } from "./deployment.ts";
import { memberOfAddress } from "./http/address.ts";
import type { Site } from "./site.ts";
import { type Traffic, trafficOf } from "./traffic.ts";

/** `GET /proxy/stats` where there are consumers: what the caller has, and nothing of anybody else. */
export interface OwnStats {
  readonly consumer: string;
  readonly deployments: Readonly<Record<string, OwnRow>>;
}

interface OwnRow extends Traffic {
  readonly limits: readonly OwnLimit[];
}

interface OwnLimit {
  readonly name: string;
  readonly limit: number;
  readonly used: number;
  readonly left: number;
  readonly resets_in_seconds: number;
}

/** The caller's own row at every deployment that it may use. */
export function ownStatsOf(site: Site, caller: Caller | undefined, remoteAddress: string | undefined): OwnStats {
  const holder = caller ?? { name: memberOfAddress(remoteAddress), groups: [] };
  const open = site.router.deployments.filter((deployment) => deployment.admits(caller));
  return {
    consumer: holder.name,
    deployments: Object.fromEntries(open.map((deployment) => [deployment.config.name, rowOf(deployment, holder)])),
  };
}

function rowOf(deployment: Deployment, holder: { name: string; groups: readonly string[] }): OwnRow {
  const { allotment } = deployment;
  const usage = allotment?.admission.usage(holder.name, allotment.policyOf(holder)) ?? [];
  return {
    ...trafficOf(holder.name, deployment.gate.snapshot()),
    limits: usage.map(limitOf),
  };
}

function limitOf({ name, limit, used, left, resetsInMs }: LimitUsage): OwnLimit {
  return {
    name,
    limit,
    used: Math.round(used),
    left: Math.floor(left),
    resets_in_seconds: Math.ceil(resetsInMs / 1_000),
  };
}
