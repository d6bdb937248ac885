import { describe, expect, test } from "vitest";
import { effectivePolicy } from "../../src/core/policy/policies.ts";
import type { AdmissionMode } from "../../src/core/policy/types.ts";
import { createRandom } from "../../src/core/random.ts";
import type { SharesConfig } from "../../src/core/shares/types.ts";
import type { Ms } from "../../src/core/units.ts";
import { Admission } from "../../src/engine/admission/admission.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

/*
 * Four consumers ask for 3 minutes, each at the same rate and by chance, of 1,000 requests a minute. A has 30 % of them
 * reserved, B 20 %, C 30 %, and dev is alone in the pool. Whoever waits, waits for at most 10 s.
 * The figures in brackets are those of an independent simulation of the same, a single run.
 */

const SECOND: Ms = 1_000;
const MINUTE: Ms = 60 * SECOND;
const LENGTH: Ms = 3 * MINUTE;
const PATIENCE: Ms = 10 * SECOND;
const RESERVATIONS = new Map([
  ["A", 0.3],
  ["B", 0.2],
  ["C", 0.3],
]);
const SHARES: SharesConfig = {
  unitsPerMinute: 1_000,
  utilizationThreshold: 0.8,
  burstSeconds: 5,
  meterSeconds: 0,
  typicalCost: 1,
  reservations: [...RESERVATIONS].map(([name, fraction]) => ({ name, fraction, group: false })),
};

interface Report {
  /** Admitted per minute, by consumer. */
  readonly perMinute: Readonly<Record<string, number>>;
  /** Part of the requests that was admitted. */
  readonly success: number;
  /** Waits of those that were admitted, the shortest first. */
  readonly waits: readonly Ms[];
  /** Requests that waited and were refused. */
  readonly timeouts: number;
}

/** Each consumer asks so often per minute. */
function simulate(perMinute: number, mode: AdmissionMode, seed: number): Report {
  const clock = new VirtualClock();
  const random = createRandom(seed);
  const config = { requestShares: SHARES, tokenShares: undefined, charge: "estimate", maxWaiting: 200 } as const;
  const admission = new Admission(config, clock, random);
  const source = { limits: { values: {}, strict: undefined }, exceptions: new Map(), reservations: RESERVATIONS };
  const admitted: Record<string, number> = {};
  const waits: Ms[] = [];
  let [offered, timeouts] = [0, 0];

  for (const consumer of ["A", "B", "C", "dev"]) {
    const policy = effectivePolicy({ ...source, mode, modes: new Map() }, { name: consumer, groups: [] });
    admitted[consumer] = 0;
    const count = (waitedMs: Ms): void => {
      admitted[consumer] = (admitted[consumer] ?? 0) + MINUTE / LENGTH;
      waits.push(waitedMs);
    };
    const ask = (): void => {
      const waiter = { admitted: (charge: { waitedMs: Ms }) => count(charge.waitedMs), refused: () => timeouts++ };
      const deadline = clock.now() + PATIENCE;
      const verdict = admission.enter({ consumer, policy, input: 0, output: 0, deadline }, waiter);
      offered += 1;
      if (verdict.kind === "admit") count(0);
      next();
    };
    const next = (): void => {
      const gap = (-MINUTE / perMinute) * Math.log(1 - random());
      if (clock.now() + gap < LENGTH) clock.after(gap, ask);
    };
    next();
  }
  clock.runUntil(LENGTH + PATIENCE);
  expect(clock.pending).toBe(0);
  return {
    perMinute: admitted,
    success: waits.length / offered,
    waits: waits.sort((a, b) => a - b),
    timeouts,
  };
}

function quantile({ waits }: Report, part: number): Ms {
  return waits[Math.floor(part * waits.length)] ?? 0;
}

describe.each([1, 2, 3, 4, 5])("queue mode, seed %i,", (seed) => {
  test("at 1.2 times the capacity: nobody times out (0), and 95 % wait for less than 2 s (1.18 s)", () => {
    const [queue, reject] = [simulate(300, "queue", seed), simulate(300, "reject", seed)];
    expect(queue.timeouts).toBeLessThanOrEqual(2);
    expect(quantile(queue, 0.5)).toBeLessThan(1 * SECOND);
    expect(quantile(queue, 0.95)).toBeLessThan(2 * SECOND);
    expect(queue.success).toBeGreaterThan(0.82);
    expect(Math.abs(queue.success - reject.success)).toBeLessThan(0.015);
  });

  test("at 7.2 times the capacity: nobody times out (0), and 95 % wait for less than 3 s (2.13 s)", () => {
    const [queue, reject] = [simulate(1_800, "queue", seed), simulate(1_800, "reject", seed)];
    expect(queue.timeouts).toBeLessThanOrEqual(2);
    expect(quantile(queue, 0.5)).toBeLessThan(1.5 * SECOND);
    expect(quantile(queue, 0.95)).toBeLessThan(3 * SECOND);
    expect(Math.abs(queue.success - reject.success)).toBeLessThan(0.005);
    for (const [consumer, floor] of [...RESERVATIONS, ["dev", 0.2] as const]) {
      expect(queue.perMinute[consumer]).toBeGreaterThan(0.99 * 1_000 * floor);
    }
  });

  test("at the capacity: more is admitted than in reject mode (97.3 % to 96.9 %), for 95 % within 1.5 s (0.70 s)", () => {
    const [queue, reject] = [simulate(250, "queue", seed), simulate(250, "reject", seed)];
    expect(queue.timeouts).toBe(0);
    expect(queue.success).toBeGreaterThanOrEqual(reject.success);
    expect(quantile(queue, 0.95)).toBeLessThan(1.5 * SECOND);
  });
});
