import { createHash } from "node:crypto";

import { CONSUMERS, keyOf } from "../wire/keys.ts";
import type { Role } from "../proxies/proxy.ts";

const TEAMS = 6;

/** More than any machine sends: everything is counted and nobody is refused. */
const AMPLE_LIMITS = {
  requests_per_minute: 10_000_000,
  tokens_per_hour: 100_000_000_000,
  concurrent_requests: 1_000,
  input_tokens: 100_000,
};

const AMPLE_CAPACITY = { requests_per_minute: 10_000_000, tokens_per_minute: 1_000_000_000 };

/** Three teams have a floor; the others share the pool. */
const RESERVATIONS = { "team-0": "20%", "team-1": "20%", "team-2": "20%" };

/** The file of a gate that does everything: keys, four limits, floors, tokens metered, a queue. JSON, which is YAML too. */
export function allottedFile(role: Role, backendPort: number): string {
  return JSON.stringify({
    server: { host: "127.0.0.1", port: 0 },
    deployments: {
      model: {
        models: ["*"],
        backends: [{ url: `http://127.0.0.1:${backendPort}` }],
        max_concurrent: role === "hold" ? 10_000 : 64,
        queue: { max_length: 10_000, max_wait: "30s" },
        mode: "queue",
        capacity: AMPLE_CAPACITY,
        limits: role === "refuse" ? { ...AMPLE_LIMITS, requests_per_day: 1 } : AMPLE_LIMITS,
        reservations: RESERVATIONS,
      },
    },
    consumers: Object.fromEntries([...teams(), ...members()]),
  });
}

function teams(): [string, object][] {
  return Array.from({ length: TEAMS }, (_, team) => [`team-${team}`, { kind: "group" }]);
}

/** They are dealt out to the teams in turn. */
function members(): [string, object][] {
  return Array.from({ length: CONSUMERS }, (_, index) => {
    const digest = createHash("sha256").update(keyOf(index)).digest("hex");
    return [`member-${index}`, { kind: "user", groups: [`team-${index % TEAMS}`], keys: [`sha256:${digest}`] }];
  });
}
