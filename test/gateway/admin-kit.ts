import { onTestFinished } from "vitest";

import { closest } from "../../src/config/suggest.ts";
import type { AdminConfig } from "../../src/config/types.ts";
import type { Log, LogFacts } from "../../src/contracts/log.ts";
import {
  type Admin,
  type AdminSource,
  type ConfigurationStatus,
  type ConsumerReport,
  type ConsumerSummary,
  createAdmin,
  type GateSource,
} from "../../src/gateway/admin/index.ts";
import type { ProxyStats } from "../../src/gateway/stats.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import type { Answer } from "./support/raw-answer.ts";
import { connectTo, type RawClient } from "./support/raw-client.ts";

export interface TestAdmin {
  readonly admin: Admin;
  readonly port: number;
  readonly clock: VirtualClock;
  /** Level and message. */
  readonly lines: readonly string[];
  readonly connect: () => Promise<RawClient>;
  /** One request on a connection of its own, with the right Host unless there is another among the headers. */
  readonly ask: (line: string, ...headers: readonly string[]) => Promise<Answer>;
}

export interface AdminSetup extends Partial<AdminConfig> {
  readonly source?: Partial<AdminSource>;
}

/** Starts an admin listener on loopback, and closes it when the test is over. */
export async function startAdmin({ source, ...config }: AdminSetup = {}): Promise<TestAdmin> {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const sources = { ...NO_SOURCE, ...source };
  const options = { clock, log: logTo(lines), suggest: closest };
  const admin = createAdmin({ host: "127.0.0.1", port: 0, ...config }, sources, options);
  const { port } = await admin.listen();
  onTestFinished(async () => {
    const closed = admin.close();
    clock.advance(1_000);
    await closed;
  });
  return {
    admin,
    port,
    clock,
    lines,
    connect: () => connectTo(port),
    ask: async (line, ...headers) => {
      const client = await connectTo(port);
      const host = headers.some((header) => /^host:/i.test(header)) ? [] : [`Host: 127.0.0.1:${port}`];
      client.head(`${line} HTTP/1.1`, ...host, ...headers);
      const answer = await client.answer();
      client.socket.destroy();
      return answer;
    },
  };
}

/** A log that keeps level and message. */
export function logTo(lines: string[]): Log {
  const at =
    (level: keyof Log) =>
    (message: string, _facts?: LogFacts): void =>
      void lines.push(`${level} ${message}`);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** `error` of an answer. */
export function errorOf(answer: Answer): { readonly code: string; readonly message: string } {
  const { error } = JSON.parse(answer.body) as { error: { code: string; message: string } };
  return error;
}

const TRAFFIC = { in_flight: 0, waiting: 0, admitted: 0, refused: 0 };

export const ALICE: ConsumerSummary = {
  name: "alice",
  kind: "user",
  enabled: true,
  groups: ["data-science"],
  keys: 1,
  ...TRAFFIC,
};

export const ALICE_IN_FULL: ConsumerReport = {
  ...ALICE,
  keys: [{ sha256_prefix: "0123abcd", expires_at: null, expired: false }],
  deployments: {
    qwen3: {
      ...TRAFFIC,
      allowed: true,
      mode: "queue",
      limits: [
        {
          name: "requests_per_minute",
          value: 20,
          source: { kind: "exception", of: "group", name: "data-science" },
          strict: false,
          used: 5,
          left: 15,
          resets_in_seconds: 15,
        },
      ],
      share: {
        kind: "pool",
        name: "pool",
        reservation: 0.2,
        requests: { floor_per_minute: 200, rate_per_minute: 240, available: 12, burst: 100 },
        tokens: null,
      },
    },
  },
};

export const STATS: ProxyStats = {
  version: "1.2.3",
  uptime_seconds: 12.5,
  state: "serving",
  seats: 4,
  in_flight: 0,
  waiting: 0,
  admitted: 7,
  refused: { queue_full: 1 },
  outcomes: { completed: 7 },
  open: 0,
  buffered_bytes: 0,
  deployments: {},
};

/** A gate with one consumer. */
function gateSource(): GateSource {
  return {
    stats: () => STATS,
    consumers: () => [ALICE],
    consumer: (name) => (name === "alice" ? ALICE_IN_FULL : undefined),
  };
}

const STATUS: ConfigurationStatus = {
  file: "headgate.yaml",
  version: 1,
  hash: "0123456789ab",
  applied_at: "2026-11-21T10:00:00.000Z",
  applied_by: "start",
  needs_restart: [],
  rejected: null,
};

const NEVER_RELOADED: AdminSource["configuration"] = {
  status: () => STATUS,
  reload: () => Promise.reject(new Error("a reload that no test asked for")),
};

/** A source that counts its reloads and finds nothing new. */
export function countingReloads(): AdminSource["configuration"] & { count: number } {
  const source = {
    count: 0,
    status: () => STATUS,
    reload: () => {
      source.count += 1;
      return Promise.resolve({ kind: "unchanged" as const, version: 1, needsRestart: [] });
    },
  };
  return source;
}

/** For listeners that are never asked. */
export const NO_SOURCE: AdminSource = { gate: gateSource(), configuration: NEVER_RELOADED };
