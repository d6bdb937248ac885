import type { IncomingMessage } from "node:http";

import type { Config } from "../config/types.ts";
import type { Clock } from "../contracts/clock.ts";
import type { Log } from "../contracts/log.ts";
import type { BodyBudget } from "./http/body.ts";
import type { OutcomeCounts } from "./outcome-counts.ts";
import type { Router } from "./router.ts";

/** Something that the gate can end when it stops. */
export interface Cuttable {
  cut(): void;
}

/** The requests that are not over yet. */
export class OpenExchanges {
  readonly #open = new Set<Cuttable>();
  #onEmpty: (() => void)[] = [];

  get size(): number {
    return this.#open.size;
  }

  add(exchange: Cuttable): void {
    this.#open.add(exchange);
  }

  delete(exchange: Cuttable): void {
    this.#open.delete(exchange);
    if (this.#open.size === 0) for (const run of this.#onEmpty.splice(0)) run();
  }

  /** Runs `run` once, as soon as there are none. */
  whenEmpty(run: () => void): void {
    if (this.#open.size === 0) run();
    else this.#onEmpty.push(run);
  }

  cutAll(): void {
    for (const exchange of this.#open) exchange.cut();
  }
}

/** What all requests of one gateway share. */
export interface Site {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly router: Router;
  readonly bodies: BodyBudget;
  /** Outcomes of requests that reached no deployment. */
  readonly outcomes: OutcomeCounts;
  /** Requests that are not over yet. */
  readonly exchanges: OpenExchanges;
  /** How this gateway names itself in `Via`. */
  readonly via: string;
  /** The client's own id where it is harmless, else a new one. */
  requestIdOf(request: IncomingMessage): string;
}
