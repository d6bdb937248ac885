import { randomBytes } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Config } from "../config/types.ts";
import type { Cancel, Clock } from "../contracts/clock.ts";
import { type Log, SILENT_LOG } from "../contracts/log.ts";
import type { Bytes, Ms } from "../core/units.ts";
import { systemClock } from "../engine/clock.ts";
import { Deployment } from "./deployment.ts";
import { Exchange } from "./exchange/exchange.ts";
import { BodyBudget } from "./http/body.ts";
import { replyError, replyJson } from "./http/reply.ts";
import { ModelList } from "./models.ts";
import { OutcomeCounts } from "./outcome-counts.ts";
import { routeOf } from "./route.ts";
import { Router } from "./router.ts";
import { createListener } from "./server.ts";
import { OpenExchanges, type Site } from "./site.ts";
import { type ProxyStats, statsOf } from "./stats.ts";
import { targetProblem } from "./target.ts";

export interface GatewayOptions {
  readonly clock?: Clock;
  readonly log?: Log;
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
export interface Gateway {
  /** Resolves once it takes requests. Rejects if it cannot listen there. */
  listen(port?: number, host?: string): Promise<AddressInfo>;
  stats(): ProxyStats;
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
const ONLY_READ = "Headgate (the gate in front of the model): this page of the gate can only be read.";
const HARMLESS_ID = /^[\w.:-]{1,128}$/;

/** Builds a gateway from a checked configuration. It does not listen yet. */
export function createGateway(config: Config, options: GatewayOptions = {}): Gateway {
  return new HttpGateway(config, options);
}

class HttpGateway implements Gateway, Site {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly router: Router;
  readonly bodies: BodyBudget;
  readonly outcomes: OutcomeCounts = new OutcomeCounts();
  readonly exchanges: OpenExchanges = new OpenExchanges();
  readonly via: string;
  readonly #server: Server;
  readonly #models: ModelList;
  readonly #version: string;
  readonly #startedAt: Ms;
  readonly #idPrefix: string;
  #lastId = 0;
  #draining = false;
  #stopped: Promise<void> | undefined;
  #cancelForce: Cancel | undefined;

  constructor(config: Config, options: GatewayOptions) {
    this.config = config;
    this.clock = options.clock ?? systemClock;
    this.log = options.log ?? SILENT_LOG;
    this.#version = options.version ?? "0.0.0";
    this.#startedAt = this.clock.now();
    this.#idPrefix = randomBytes(4).toString("hex");
    this.via = `1.1 headgate-${this.#idPrefix}`;
    this.bodies = new BodyBudget(options.maxBufferedBytes ?? DEFAULT_BUFFERED);
    const deploymentOptions = {
      clock: this.clock,
      log: this.log,
      probeIntervalMs: options.probeIntervalMs ?? DEFAULT_PROBE_INTERVAL_MS,
      abortGraceMs: options.abortGraceMs ?? DEFAULT_ABORT_GRACE_MS,
    };
    this.router = new Router(config.deployments.map((deployment) => new Deployment(deployment, deploymentOptions)));
    this.#models = new ModelList(this.router, this.clock);
    this.#server = createListener((request, response, confirm) => this.#handle(request, response, confirm), this.clock);
  }

  listen(port: number = this.config.server.port, host: string = this.config.server.host): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        for (const deployment of this.router.deployments) deployment.start();
        const address = this.#server.address();
        if (address === null || typeof address === "string") return reject(new Error("not listening on a TCP port"));
        resolve(address);
      });
    });
  }

  stats(): ProxyStats {
    const context = { version: this.#version, startedAt: this.#startedAt, draining: this.#draining };
    return statsOf(this, context);
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
    for (const deployment of this.router.deployments) deployment.close();
    this.#server.closeAllConnections();
  }

  #handle(request: IncomingMessage, response: ServerResponse, confirm?: () => void): void {
    if (this.#draining) response.shouldKeepAlive = false;
    const problem = targetProblem(request, this.via);
    if (problem !== undefined) return this.#refuse(response, problem);
    const route = routeOf(request.method ?? "GET", request.url ?? "/");
    switch (route.kind) {
      case "own":
        return this.#answerOwn(route.page, response);
      case "not_allowed":
        response.setHeader("allow", "GET, HEAD");
        return this.#refuse(response, { status: 405, message: ONLY_READ });
      case "models":
        return this.#answerModels(request, response, confirm);
      case "forward":
        return new Exchange(this, request, response, route).begin(confirm);
    }
  }

  #answerOwn(page: "stats" | "healthz" | "readyz", response: ServerResponse): void {
    response.setHeader("x-request-id", this.requestIdOf(response.req));
    switch (page) {
      case "stats":
        return replyJson(response, 200, this.stats());
      case "healthz":
        return replyJson(response, 200, { status: "ok" });
      case "readyz": {
        const ready = !this.#draining && this.router.deployments.every(({ fleet }) => fleet.healthy > 0);
        return replyJson(response, ready ? 200 : 503, { status: ready ? "ready" : "not ready" });
      }
    }
  }

  /** With a single backend the list is its own, byte for byte. */
  #answerModels(request: IncomingMessage, response: ServerResponse, confirm?: () => void): void {
    const single = this.router.deployments.length === 1 && this.router.deployments[0]?.fleet.backends.length === 1;
    if (!single || !this.router.hasCatchAll) {
      response.setHeader("x-request-id", this.requestIdOf(request));
      return this.#models.reply(response);
    }
    new Exchange(this, request, response, { kind: "forward", surface: "openai", seat: false, json: false }).begin(
      confirm,
    );
  }

  #refuse(response: ServerResponse, problem: { status: number; message: string }): void {
    this.outcomes.add("invalid_request");
    replyError(
      response,
      { outcome: "invalid_request", ...problem },
      {
        surface: "openai",
        requestId: this.requestIdOf(response.req),
        waitedMs: 0,
        after: (delay, run) => this.clock.after(delay, run),
      },
    );
  }
}
