import type { IncomingMessage } from "node:http";

import type { Config } from "../config/types.ts";
import type { Clock } from "../contracts/clock.ts";
import type { Log } from "../contracts/log.ts";
import type { Authenticator } from "./auth/index.ts";
import type { Deployment } from "./deployment.ts";
import type { BodyBudget } from "./http/body.ts";
import type { OutcomeCounts } from "./outcome-counts.ts";
import type { Router } from "./router.ts";
import type { ProxyStats } from "./stats.ts";

/** Something that the gate can end when it stops. It carries its own links in the list of those that are open. */
export interface Cuttable {
  older: Cuttable | undefined;
  newer: Cuttable | undefined;
  cut(): void;
}

/**
 * The requests that are not over yet: a linked list, since a `Set` that everything passes through is rehashed so often
 * that the garbage collector feels it.
 */
export class OpenExchanges {
  #newest: Cuttable | undefined;
  #size = 0;
  #onEmpty: (() => void)[] = [];

  get size(): number {
    return this.#size;
  }

  add(exchange: Cuttable): void {
    exchange.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = exchange;
    this.#newest = exchange;
    this.#size += 1;
  }

  /** Harmless where it is not in the list. */
  delete(exchange: Cuttable): void {
    const { older, newer } = exchange;
    if (newer === undefined && this.#newest !== exchange) return;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    if (older !== undefined) older.newer = newer;
    exchange.older = undefined;
    exchange.newer = undefined;
    this.#size -= 1;
    if (this.#size === 0) for (const run of this.#onEmpty.splice(0)) run();
  }

  /** Runs `run` once, as soon as there are none. */
  whenEmpty(run: () => void): void {
    if (this.#size === 0) run();
    else this.#onEmpty.push(run);
  }

  cutAll(): void {
    const open: Cuttable[] = [];
    for (let exchange = this.#newest; exchange !== undefined; exchange = exchange.older) open.push(exchange);
    for (const exchange of open) exchange.cut();
  }
}

/** What all requests of one gateway share. */
export interface Site {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly router: Router;
  /** Deployments that the configuration has no more, until their last request is over. */
  readonly leaving: ReadonlySet<Deployment>;
  readonly auth: Authenticator;
  readonly bodies: BodyBudget;
  /** Outcomes of requests that reached no deployment. */
  readonly outcomes: OutcomeCounts;
  /** Requests that are not over yet. */
  readonly exchanges: OpenExchanges;
  /** It takes no more requests. */
  readonly draining: boolean;
  /** How this gateway names itself in `Via`. */
  readonly via: string;
  /** The client's own id where it is harmless, else a new one. */
  requestIdOf(request: IncomingMessage): string;
  stats(): ProxyStats;
}
