import type { ConsumerConfig } from "../config/types.ts";
import type { EffectiveLimit, EffectivePolicy, PolicyHolder } from "../core/policy/types.ts";
import { POOL } from "../core/shares/types.ts";
import type { LimitUsage } from "../engine/admission/types.ts";
import {
  type ConsumerAtDeployment,
  type ConsumerReport,
  type ConsumerSummary,
  keyReports,
  type LimitReport,
  type ShareReport,
} from "./admin/consumers.ts";
import type { Allotment } from "./allotment.ts";
import { reservationOf, shareRateOf } from "./allotment-stats.ts";
import type { Deployment } from "./deployment.ts";
import type { Site } from "./site.ts";
import { totalOf, type Traffic, trafficOf } from "./traffic.ts";

/** All consumers of the configuration, in its order. A group's traffic is that of its members together. */
export function consumerSummaries(site: Site): readonly ConsumerSummary[] {
  const gates = site.router.deployments.map(({ gate }) => gate.snapshot());
  const { consumers } = site.config;
  return consumers.map((consumer) => ({
    ...identityOf(consumer),
    keys: consumer.keys.length,
    ...totalOf(gates.flatMap((gate) => membersOf(consumer, consumers).map((name) => trafficOf(name, gate)))),
  }));
}

/** One consumer: what it may do at each deployment, what of that is used, what is left. */
export function consumerReport(site: Site, name: string): ConsumerReport | undefined {
  const { consumers } = site.config;
  const consumer = consumers.find((each) => each.name === name);
  if (consumer === undefined) return undefined;
  const members = membersOf(consumer, consumers);
  const rows = site.router.deployments.map((deployment) => {
    const gate = deployment.gate.snapshot();
    const traffic = totalOf(members.map((member) => trafficOf(member, gate)));
    return { deployment, row: rowOf(deployment, consumer, traffic) };
  });
  return {
    ...identityOf(consumer),
    keys: keyReports(consumer.keys, site.clock.wall()),
    ...totalOf(rows.map(({ row }) => row)),
    deployments: Object.fromEntries(rows.map(({ deployment, row }) => [deployment.config.name, row])),
  };
}

function identityOf({
  name,
  kind,
  enabled,
  groups,
}: ConsumerConfig): Pick<ConsumerSummary, "name" | "kind" | "enabled" | "groups"> {
  return { name, kind, enabled, groups };
}

function rowOf(deployment: Deployment, holder: PolicyHolder, traffic: Traffic): ConsumerAtDeployment {
  const { allotment, config } = deployment;
  const { allowed, mode } = config;
  const policy = allotment?.policyOf(holder);
  return {
    ...traffic,
    allowed: allowed === undefined || [holder.name, ...holder.groups].some((name) => allowed.has(name)),
    mode: policy?.mode ?? mode,
    limits: allotment === undefined || policy === undefined ? [] : limitReports(allotment, holder.name, policy),
    share: allotment === undefined || policy === undefined ? null : shareReport(allotment, holder, policy.share),
  };
}

function limitReports(allotment: Allotment, name: string, policy: EffectivePolicy): readonly LimitReport[] {
  const usage = new Map(allotment.admission.usage(name, policy).map((each) => [each.name, each]));
  const { inputTokens, concurrentRequests, rates, strict } = policy;
  return [
    ...(inputTokens === undefined ? [] : [limitReport(inputTokens, undefined, false)]),
    ...(concurrentRequests === undefined
      ? []
      : [limitReport(concurrentRequests, usage.get(concurrentRequests.name), false)]),
    ...rates.map((rate) => limitReport(rate, usage.get(rate.name), strict)),
  ];
}

function limitReport(
  { name, value, source }: EffectiveLimit,
  usage: LimitUsage | undefined,
  strict: boolean,
): LimitReport {
  const isTimed = usage !== undefined && value > 0 && name !== "concurrent_requests";
  return {
    name,
    value,
    source,
    strict,
    used: usage === undefined ? null : Math.round(usage.used),
    left: usage === undefined ? null : Math.floor(usage.left),
    resets_in_seconds: isTimed ? Math.ceil(usage.resetsInMs / 1_000) : null,
  };
}

function shareReport(allotment: Allotment, holder: PolicyHolder, share: string): ShareReport | null {
  const { requests, tokens } = allotment.admission.snapshot();
  const inRequests = requests?.shares.find(({ name }) => name === share);
  const inTokens = tokens?.shares.find(({ name }) => name === share);
  const any = inRequests ?? inTokens;
  if (any === undefined) return null;
  return {
    kind: share === POOL ? "pool" : share === holder.name ? "consumer" : "group",
    name: share,
    reservation: reservationOf(any),
    requests: inRequests === undefined ? null : shareRateOf(inRequests),
    tokens: inTokens === undefined ? null : shareRateOf(inTokens),
  };
}

function membersOf({ name, kind }: ConsumerConfig, consumers: readonly ConsumerConfig[]): readonly string[] {
  return kind === "group" ? consumers.filter(({ groups }) => groups.includes(name)).map((each) => each.name) : [name];
}
