import { readConfig } from "../../src/config/index.ts";
import { planShares } from "../../src/core/shares/plan.ts";

/** Who floods the gate, and what it is guaranteed. */
export interface Contender {
  readonly name: string;
  /** In requests per minute. Of the pool's members each has an equal part. */
  readonly floor: number;
  /** Of the capacity; undefined for a member of the pool. */
  readonly reservation: number | undefined;
}

/** What the configuration promises, to be held against what is measured. */
export interface Scenario {
  readonly deployment: string;
  /** Requests per minute. */
  readonly capacity: number;
  readonly seats: number;
  readonly contenders: readonly Contender[];
  /** What may be admitted beyond capacity × time, once: all bursts and the meter (G2, design of admission, section 1.5). */
  readonly burst: number;
}

/** Reads what the file promises. Throws where it is not one deployment with a capacity in requests. */
export async function readScenario(path: string): Promise<Scenario> {
  const result = await readConfig(path, { PROVE_BACKEND: "http://127.0.0.1:1" });
  const [deployment] = result.kind === "valid" ? result.config.deployments : [];
  const capacity = deployment?.capacity?.requestsPerMinute;
  if (result.kind !== "valid" || deployment?.capacity === undefined || capacity === undefined) {
    throw new Error(`${path}: not a valid file with a capacity in requests per minute`);
  }
  const { utilizationThreshold, burstSeconds, meterSeconds } = deployment.capacity;
  const reservations = [...deployment.reservations].map(([name, fraction]) => ({ name, fraction, group: false }));
  const times = { utilizationThreshold, burstSeconds, meterSeconds };
  const plans = planShares({ ...times, unitsPerMinute: capacity, typicalCost: 1, reservations });
  const bursts = plans.reduce((sum, { cap, burst, isGroup }) => sum + (isGroup ? cap : burst), 0);
  const names = result.config.consumers.map(({ name }) => name);
  const others = names.filter((name) => !deployment.reservations.has(name)).length;
  const contenders = names.map((name): Contender => {
    const reservation = deployment.reservations.get(name);
    return { name, reservation, floor: capacity * (reservation ?? (plans.at(-1)?.weight ?? 0) / others) };
  });
  return {
    deployment: deployment.name,
    capacity,
    seats: deployment.maxConcurrent,
    contenders,
    burst: bursts + (utilizationThreshold * capacity * meterSeconds) / 60,
  };
}

/** What a consumer sends as its key. */
export function keyOf(name: string): string {
  return `bench key of ${name}`;
}
