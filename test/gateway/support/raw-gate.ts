import { expect, onTestFinished } from "vitest";

import type { BackendConfig, Config, DeploymentConfig, ServerConfig } from "../../../src/config/index.ts";
import type { Cancel } from "../../../src/contracts/clock.ts";
import type { Log, LogFacts } from "../../../src/contracts/log.ts";
import type { Ms } from "../../../src/core/units.ts";
import { createGateway, type Gateway, type GatewayOptions } from "../../../src/gateway/index.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { connectTo, type RawClient, until } from "./raw-client.ts";

/** A backend by its port, or with settings of its own. */
export type BackendSetup = number | (Partial<BackendConfig> & { readonly port: number; readonly prefix?: string });

export interface DeploymentSetup extends Partial<Omit<DeploymentConfig, "backends">> {
  readonly backends: readonly BackendSetup[];
}

/** What a test says of a configuration; the rest is filled in. */
export interface ConfigSetup extends Partial<Omit<Config, "server" | "deployments">> {
  readonly server?: Partial<ServerConfig>;
  readonly deployments: readonly DeploymentSetup[];
}

export interface GateSetup extends GatewayOptions, ConfigSetup {
  /** Nothing may be left of any request when the test is over. False for tests that break that on purpose. */
  readonly settles?: boolean;
}

interface LogLine {
  readonly level: keyof Log;
  readonly message: string;
  readonly facts: LogFacts;
}

export interface TestGate {
  readonly gateway: Gateway;
  readonly port: number;
  readonly lines: readonly LogLine[];
  connect(options?: { allowHalfOpen?: boolean }): Promise<RawClient>;
}

/** Starts a gate. When the test is over, holds that no request left anything behind, and stops it. */
export async function startGate(setup: GateSetup): Promise<TestGate> {
  const { settles = true, clock, log, version, probeIntervalMs, abortGraceMs, maxBufferedBytes, ...rest } = setup;
  const given = { clock, log, version, probeIntervalMs, abortGraceMs, maxBufferedBytes };
  const options: GatewayOptions = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const lines: LogLine[] = [];
  const config = configOf(rest);
  const gateway = createGateway(config, { probeIntervalMs: 0, log: logTo(lines), ...options });
  const { port } = await gateway.listen(config.server.port);
  onTestFinished(async () => {
    if (settles) await settled(gateway);
    await gateway.close();
  });
  return { gateway, port, lines, connect: (how) => connectTo(port, how) };
}

export function configOf({ server, deployments, ...rest }: ConfigSetup): Config {
  return {
    server: { host: "127.0.0.1", port: 0, maxBodyBytes: 1_000_000, drainTimeoutMs: 1_000, ...server },
    admin: undefined,
    deployments: deployments.map(toDeployment),
    consumers: [],
    anonymous: "refuse",
    identity: undefined,
    jwt: undefined,
    ...rest,
  };
}

/** A gate with one deployment that serves every model. */
export function startSimpleGate(
  backends: readonly BackendSetup[],
  deployment: Partial<Omit<DeploymentSetup, "backends">> = {},
  setup: Omit<Partial<GateSetup>, "deployments"> = {},
): Promise<TestGate> {
  return startGate({ ...setup, deployments: [{ ...deployment, backends }] });
}

/** Nothing is open, waits, holds a seat or memory, and no lease was settled twice. */
export async function settled(gateway: Gateway): Promise<void> {
  const left = (): object => {
    const { open, in_flight, waiting, buffered_bytes, deployments } = gateway.stats();
    const all = Object.values(deployments);
    return {
      open,
      in_flight,
      waiting,
      buffered_bytes,
      unseated: all.reduce((sum, { unseated }) => sum + unseated.in_flight + unseated.waiting, 0),
      late: all.reduce((sum, deployment) => sum + deployment.late_settlements, 0),
      atBackends: all.flatMap(({ backends }) => backends).reduce((sum, backend) => sum + backend.in_flight, 0),
    };
  };
  const nothing = { open: 0, in_flight: 0, waiting: 0, buffered_bytes: 0, unseated: 0, late: 0, atBackends: 0 };
  await until(() => Object.values(left()).every((count) => count === 0)).catch(() => {});
  expect(left()).toEqual(nothing);
}

function toDeployment(setup: DeploymentSetup, index: number): DeploymentConfig {
  return {
    name: `deployment-${index}`,
    models: ["*"],
    maxConcurrent: 4,
    maxInflightTokens: Infinity,
    queue: { maxLength: 64, maxWaitMs: 60_000, maxBytes: 10_000_000 },
    timeouts: { connectMs: 5_000, firstByteMs: 60_000, idleMs: 60_000 },
    maxUnseated: 4,
    forwardClientCredentials: false,
    capacity: undefined,
    limits: { values: {}, strict: undefined },
    exceptions: new Map(),
    reservations: new Map(),
    allowed: undefined,
    mode: "reject",
    modes: new Map(),
    charge: "estimate",
    tokenizer: undefined,
    ...setup,
    backends: setup.backends.map(toBackend),
  };
}

function toBackend(setup: BackendSetup): BackendConfig {
  if (typeof setup === "number") return { url: `http://127.0.0.1:${setup}/`, onClientDisconnect: "abort" };
  const { port, prefix = "/", ...config } = setup;
  return { url: `http://127.0.0.1:${port}${prefix}`, onClientDisconnect: "abort", ...config };
}

function logTo(lines: LogLine[]): Log {
  const at =
    (level: keyof Log) =>
    (message: string, facts: LogFacts = {}): void =>
      void lines.push({ level, message, facts });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A virtual clock that remembers what was scheduled on it. */
export class WatchedClock extends VirtualClock {
  readonly delays: Ms[] = [];

  override after(delay: Ms, run: () => void): Cancel {
    this.delays.push(delay);
    return super.after(delay, run);
  }

  /** Resolves once this was scheduled so many times in all. */
  async scheduled(delay: Ms, times: number): Promise<void> {
    await until(() => this.delays.filter((each) => each === delay).length >= times);
  }
}

/** The smallest chat request there is. */
export const CHAT = { model: "m", messages: [{ role: "user", content: "hello" }] };
