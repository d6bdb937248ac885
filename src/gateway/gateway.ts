import { randomBytes } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";

import type { Config, DeploymentConfig } from "../config/types.ts";
import type { Cancel, Clock } from "../contracts/clock.ts";
import { type Log, SILENT_LOG } from "../contracts/log.ts";
import type { Random } from "../core/random.ts";
import type { Bytes, Ms } from "../core/units.ts";
import { systemClock, systemRandom } from "../engine/clock.ts";
import type { ConsumerReport, ConsumerSummary, GateSource } from "./admin/index.ts";
import { groupsOf } from "./allotment.ts";
import { Authenticator } from "./auth/index.ts";
import { consumerReport, consumerSummaries } from "./consumer-reports.ts";
import { Deployment, type DeploymentOptions } from "./deployment.ts";
import { Front } from "./front.ts";
import { BodyBudget } from "./http/body.ts";
import { OutcomeCounts } from "./outcome-counts.ts";
import { Router } from "./router.ts";
import { createListener } from "./server.ts";
import { OpenExchanges, type Site } from "./site.ts";
import { type ProxyStats, statsOf } from "./stats.ts";

export interface GatewayOptions {
  readonly clock?: Clock;
  readonly log?: Log;
  /** Spreads the times at which those who were refused come back. */
  readonly random?: Random;
  /** What `/proxy/stats` says. */
  readonly version?: string;
  /** Between probes of healthy backends; 0 for none. Default 10 s. */
  readonly probeIntervalMs?: Ms;
  /** How long an aborted request may hold its seat until the backend closes it. Default 10 s. */
  readonly abortGraceMs?: Ms;
  /** Bytes of request bodies in memory. Default 512 MiB. */
  readonly maxBufferedBytes?: Bytes;
}

/** The gate as an HTTP server. */
export interface Gateway extends GateSource {
  /** What it runs on now. */
  readonly config: Config;
  /** Resolves once it takes requests. Rejects if it cannot listen there. */
  listen(port?: number, host?: string): Promise<AddressInfo>;
  /**
   * Takes over another configuration at once. Requests in seats keep them, counters go on; a deployment that is gone
   * refuses who waits there and lets the others end. Where clients reach the gate only a restart can change.
   */
  reconfigure(config: Config): void;
  /**
   * Stops in good order: takes no more connections, refuses who waits, lets what runs end within `timeoutMs`, cuts the
   * rest, closes everything. Resolves when nothing is left.
   */
  drain(timeoutMs: Ms): Promise<void>;
  /** Stops at once. */
  close(): Promise<void>;
}

const DEFAULT_PROBE_INTERVAL_MS: Ms = 10_000;
const DEFAULT_ABORT_GRACE_MS: Ms = 10_000;
const DEFAULT_BUFFERED: Bytes = 536_870_912;
/** Time for clients to read why they were cut off, and for backends to close. */
const FORCE_AFTER_MS: Ms = 1_000;
const HARMLESS_ID = /^[\w.:-]{1,128}$/;

/** Builds a gateway from a checked configuration. It does not listen yet. */
export function createGateway(config: Config, options: GatewayOptions = {}): Gateway {
  return new HttpGateway(config, options);
}

class HttpGateway implements Gateway, Site {
  readonly clock: Clock;
  readonly log: Log;
  readonly auth: Authenticator;
  readonly bodies: BodyBudget;
  readonly outcomes: OutcomeCounts = new OutcomeCounts();
  readonly exchanges: OpenExchanges = new OpenExchanges();
  readonly via: string;
  readonly #deploymentOptions: DeploymentOptions;
  readonly #server: Server;
  readonly #version: string;
  readonly #startedAt: Ms;
  readonly #idPrefix: string;
  readonly leaving: Set<Deployment> = new Set();
  #config: Config;
  #router: Router;
  #listening = false;
  #lastId = 0;
  #draining = false;
  #stopped: Promise<void> | undefined;
  #cancelForce: Cancel | undefined;

  constructor(config: Config, options: GatewayOptions) {
    this.#config = config;
    this.clock = options.clock ?? systemClock;
    this.log = options.log ?? SILENT_LOG;
    this.#version = options.version ?? "0.0.0";
    this.#startedAt = this.clock.now();
    this.#idPrefix = randomBytes(4).toString("hex");
    this.via = `1.1 headgate-${this.#idPrefix}`;
    this.bodies = new BodyBudget(options.maxBufferedBytes ?? DEFAULT_BUFFERED);
    this.#deploymentOptions = {
      clock: this.clock,
      log: this.log,
      probeIntervalMs: options.probeIntervalMs ?? DEFAULT_PROBE_INTERVAL_MS,
      abortGraceMs: options.abortGraceMs ?? DEFAULT_ABORT_GRACE_MS,
      random: options.random ?? systemRandom,
    };
    const groups = groupsOf(config);
    this.#router = new Router(config.deployments.map((deployment) => this.#build(deployment, groups)));
    this.auth = new Authenticator(config, this.clock, this.log);
    const front = new Front(this);
    this.#server = createListener((visit) => front.receive(visit), this.clock);
  }

  get config(): Config {
    return this.#config;
  }

  get router(): Router {
    return this.#router;
  }

  listen(port: number = this.config.server.port, host: string = this.config.server.host): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        this.#listening = true;
        for (const deployment of this.router.deployments) deployment.start();
        const address = this.#server.address();
        if (address === null || typeof address === "string") return reject(new Error("not listening on a TCP port"));
        resolve(address);
      });
    });
  }

  reconfigure(config: Config): void {
    if (this.#draining) return;
    // The one step that can fail, and before anything has changed.
    this.auth.reconfigure(config);
    const groups = groupsOf(config);
    const left = new Map(this.router.deployments.map((deployment) => [deployment.config.name, deployment]));
    const deployments = config.deployments.map((next) => {
      const known = left.get(next.name);
      left.delete(next.name);
      known?.reconfigure(next, groups);
      return known ?? this.#build(next, groups);
    });
    this.#config = config;
    this.#router = new Router(deployments);
    for (const deployment of left.values()) this.#retire(deployment);
    this.#share();
  }

  get draining(): boolean {
    return this.#draining;
  }

  stats(): ProxyStats {
    const context = { version: this.#version, startedAt: this.#startedAt, draining: this.#draining };
    return statsOf(this, context);
  }

  consumers(): readonly ConsumerSummary[] {
    return consumerSummaries(this);
  }

  consumer(name: string): ConsumerReport | undefined {
    return consumerReport(this, name);
  }

  drain(timeoutMs: Ms): Promise<void> {
    this.#stopped ??= this.#drain(timeoutMs);
    return this.#stopped;
  }

  async close(): Promise<void> {
    const stopped = this.drain(0);
    this.#cutAll();
    await stopped;
    // There may have been nothing to cut any more.
    this.#cancelForce?.();
  }

  requestIdOf(request: IncomingMessage): string {
    const given = request.headers["x-request-id"];
    if (typeof given === "string" && HARMLESS_ID.test(given)) return given;
    this.#lastId += 1;
    return `hg-${this.#idPrefix}-${this.#lastId.toString(36)}`;
  }

  #build(config: DeploymentConfig, groups: ReadonlySet<string>): Deployment {
    const deployment = new Deployment(config, groups, this.#deploymentOptions);
    if (this.#listening) deployment.start();
    return deployment;
  }

  #retire(deployment: Deployment): void {
    this.leaving.add(deployment);
    const done = (): void => {
      deployment.close();
      this.leaving.delete(deployment);
    };
    deployment.drain(done, () => this.#share());
  }

  /** A backend has no more seats than it has, though a deployment that is gone has requests open there. */
  #share(): void {
    const open = new Map<string, number>();
    for (const { fleet } of this.leaving) {
      for (const { url, inFlight } of fleet.known) open.set(url, (open.get(url) ?? 0) + inFlight);
    }
    for (const deployment of this.router.deployments) deployment.hold(open);
  }

  async #drain(timeoutMs: Ms): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const cancel = this.clock.after(timeoutMs, () => this.#cutAll());
    await Promise.all([
      ...this.router.deployments.map((deployment) => new Promise<void>((resolve) => deployment.drain(resolve))),
      new Promise<void>((resolve) => this.exchanges.whenEmpty(resolve)),
    ]);
    cancel();
    this.#cancelForce?.();
    this.#closeSockets();
    await closed;
  }

  /** Ends every request with an answer that says why; whoever does not take it in time loses the connection. */
  #cutAll(): void {
    if (this.#cancelForce !== undefined) return;
    this.#cancelForce = this.clock.after(FORCE_AFTER_MS, () => this.#closeSockets());
    this.exchanges.cutAll();
  }

  #closeSockets(): void {
    for (const deployment of [...this.router.deployments, ...this.leaving]) deployment.close();
    this.#server.closeAllConnections();
  }
}
