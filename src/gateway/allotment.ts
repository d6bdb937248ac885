import type { CapacityConfig, Config, DeploymentConfig } from "../config/types.ts";
import type { Clock } from "../contracts/clock.ts";
import { Estimator } from "../core/cost/learned.ts";
import { Policies } from "../core/policy/policies.ts";
import type { PolicyHolder, EffectivePolicy } from "../core/policy/types.ts";
import type { Random } from "../core/random.ts";
import type { SharesConfig } from "../core/shares/types.ts";
import type { Tokens } from "../core/units.ts";
import { Admission } from "../engine/admission/admission.ts";
import type { AdmissionConfig } from "../engine/admission/types.ts";

/** What a request is taken to use of a capacity in tokens: bursts hold at least four of these. */
const TYPICAL_TOKENS: Tokens = 1_000;

/** Who gets how much of one deployment: the policies, their counters, and what is known of costs. */
export class Allotment {
  readonly estimator: Estimator = new Estimator();
  readonly admission: Admission;
  #policies: Policies;
  #metered: boolean;

  constructor(config: DeploymentConfig, groups: ReadonlySet<string>, ports: { clock: Clock; random: Random }) {
    this.admission = new Admission(admissionOf(config, groups), ports.clock, ports.random);
    this.#policies = new Policies(config);
    this.#metered = countsTokens(config);
  }

  /** Whether anything depends on how many tokens a request uses, so that answers are looked through for it. */
  get metered(): boolean {
    return this.#metered;
  }

  policyOf(holder: PolicyHolder): EffectivePolicy {
    return this.#policies.of(holder);
  }

  /** Takes over another configuration. Counters, deficits and what was learned stay. */
  reconfigure(config: DeploymentConfig, groups: ReadonlySet<string>): void {
    this.admission.reconfigure(admissionOf(config, groups));
    this.#policies = new Policies(config);
    this.#metered = countsTokens(config);
  }
}

/** Whether a deployment limits anybody to less than its seats. One that does not pays for none of this. */
export function isAllotted({ capacity, limits, exceptions }: DeploymentConfig): boolean {
  return (
    capacity !== undefined || [limits, ...exceptions.values()].some(({ values }) => Object.keys(values).length > 0)
  );
}

/** The names of the consumers that hold others. */
export function groupsOf({ consumers }: Config): ReadonlySet<string> {
  return new Set(consumers.filter(({ kind }) => kind === "group").map(({ name }) => name));
}

function countsTokens({ capacity, limits, exceptions }: DeploymentConfig): boolean {
  if (capacity?.tokensPerMinute !== undefined) return true;
  const names = [limits, ...exceptions.values()].flatMap(({ values }) => Object.keys(values));
  return names.some((name) => name.includes("tokens_per_"));
}

function admissionOf(config: DeploymentConfig, groups: ReadonlySet<string>): AdmissionConfig {
  const { capacity, charge, queue } = config;
  const sharesOf = (unitsPerMinute: number | undefined, typicalCost: number): SharesConfig | undefined =>
    capacity === undefined || unitsPerMinute === undefined
      ? undefined
      : { ...timesOf(capacity), unitsPerMinute, typicalCost, reservations: reservationsOf(config, groups) };
  return {
    requestShares: sharesOf(capacity?.requestsPerMinute, 1),
    tokenShares: sharesOf(capacity?.tokensPerMinute, TYPICAL_TOKENS),
    charge,
    maxWaiting: queue?.maxLength ?? 0,
  };
}

function timesOf({
  utilizationThreshold,
  burstSeconds,
  meterSeconds,
}: CapacityConfig): Omit<SharesConfig, "unitsPerMinute" | "typicalCost" | "reservations"> {
  return { utilizationThreshold, burstSeconds, meterSeconds };
}

function reservationsOf({ reservations }: DeploymentConfig, groups: ReadonlySet<string>): SharesConfig["reservations"] {
  return [...reservations].map(([name, fraction]) => ({ name, fraction, group: groups.has(name) }));
}
