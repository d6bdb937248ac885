import { type DeploymentConfig, parseConfig } from "../../src/config/index.ts";
import { createRandom } from "../../src/core/random.ts";
import type { Caller } from "../../src/gateway/auth/index.ts";

/** How much of a decision is made: four limits, then also a share of the capacity, then also a seat. */
export const PARTS = ["limits", "share", "seat"] as const;
export type Part = (typeof PARTS)[number];

/** What all together ask for, as part of capacity. `below`: everybody gets in. `above`: there is a sixth too much of it. */
const LOADS = { below: 0.9, above: 1.2 } as const;
export type Load = keyof typeof LOADS;

export interface Situation {
  readonly consumers: number;
  readonly part: Part;
  readonly load: Load;
}

/** Capacity. Far more than a gate can take on, so that 100,000 consumers are all active. */
const REQUESTS_PER_MINUTE = 600_000;
const TOKENS_PER_REQUEST = 300;

/** Seats, and those that wait for one at any time. */
export const SEATS = 64;
export const WAITING = 16;

/** The groups that have a floor, in tenths of the capacity. The other four tenths are the pool. */
const GROUPS = { gold: 3, silver: 2, bronze: 1 };

/** The groups of ten consumers, as the capacity is divided. */
const OF_TEN = Object.entries(GROUPS).flatMap(([name, tenths]) => Array.from({ length: tenths }, () => [name]));

/** The time between two requests. */
export function intervalMs(load: Load): number {
  return 60_000 / REQUESTS_PER_MINUTE / LOADS[load];
}

/** The deployment, as its file would be read. Each consumer may have a tenth more than it asks for. */
export function deploymentFor({ consumers, part, load }: Situation): {
  readonly deployment: DeploymentConfig;
  readonly groups: ReadonlySet<string>;
} {
  const perMinute = (1.1 * REQUESTS_PER_MINUTE * LOADS[load]) / consumers;
  const text = JSON.stringify({
    server: { host: "127.0.0.1", port: 0 },
    deployments: {
      model: {
        models: ["*"],
        backends: [{ url: "http://127.0.0.1:1" }],
        max_concurrent: SEATS,
        queue: { max_length: 1_000, max_wait: "30s" },
        mode: "queue",
        limits: {
          requests_per_minute: Math.ceil(perMinute),
          tokens_per_hour: Math.ceil(perMinute * 60 * TOKENS_PER_REQUEST),
          concurrent_requests: 1_000,
          input_tokens: 8_000,
        },
        ...(part !== "limits" && {
          capacity: {
            requests_per_minute: REQUESTS_PER_MINUTE,
            tokens_per_minute: REQUESTS_PER_MINUTE * TOKENS_PER_REQUEST,
            // Floors are in force from the start.
            burst: "2s",
            meter: "0s",
          },
          reservations: Object.fromEntries(Object.entries(GROUPS).map(([name, tenths]) => [name, `${tenths}0%`])),
        }),
      },
    },
    consumers: Object.fromEntries(Object.keys(GROUPS).map((name) => [name, { kind: "group" }])),
  });
  const result = parseConfig({ file: "bench", text, env: {} });
  const deployment = result.kind === "valid" ? result.config.deployments[0] : undefined;
  if (deployment === undefined) throw new Error(JSON.stringify(result));
  return { deployment, groups: new Set(Object.keys(GROUPS)) };
}

/** The consumers, in the order in which they ask, again and again. */
export function consumersInTurn(count: number): readonly Caller[] {
  const callers = Array.from({ length: count }, (_, index): Caller => {
    return { name: `consumer-${index}`, kind: "user", groups: OF_TEN[index % 10] ?? [] };
  });
  const random = createRandom(1);
  return callers
    .map((caller) => ({ caller, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ caller }) => caller);
}
