import type { BackendConfig } from "../../config/types.ts";
import type { ConnectionOptions } from "./connection.ts";
import { Health } from "./health.ts";
import { ConnectionPool } from "./pool.ts";

/** One server of a deployment, as the gate sees it. */
export class Backend {
  readonly url: string;
  /** What goes before the path of every request; "" for most. */
  readonly prefix: string;
  readonly origin: string;
  readonly host: string;
  apiKey: string | undefined;
  onClientDisconnect: BackendConfig["onClientDisconnect"];
  /** Whether streams are asked to report their usage. */
  asksForUsage: boolean;
  /** Requests that it may have open at once. */
  seats: number;
  readonly health: Health = new Health();
  readonly pool: ConnectionPool;
  /** Requests with a seat that are open there. */
  inFlight = 0;
  /** Those of them that are open there for deployments which the configuration has no more; they are not in `inFlight`. */
  heldElsewhere = 0;
  requests = 0;
  failures = 0;

  constructor(config: BackendConfig, seats: number, connections: ConnectionOptions) {
    const url = new URL(config.url);
    this.url = config.url;
    this.origin = url.origin;
    this.host = url.host;
    this.prefix = url.pathname === "/" ? "" : url.pathname.replace(/\/$/, "");
    this.apiKey = config.apiKey;
    this.onClientDisconnect = config.onClientDisconnect;
    this.asksForUsage = config.askForUsage ?? true;
    this.seats = Math.min(seats, config.maxConcurrent ?? seats);
    this.pool = new ConnectionPool(url.origin, connections);
  }

  /** Takes over other settings for the same URL. */
  reconfigure(config: BackendConfig, seats: number): void {
    this.apiKey = config.apiKey;
    this.onClientDisconnect = config.onClientDisconnect;
    this.asksForUsage = config.askForUsage ?? true;
    this.seats = Math.min(seats, config.maxConcurrent ?? seats);
  }

  get load(): number {
    return this.open / this.seats;
  }

  /** Requests with a seat that the server itself sees. */
  get open(): number {
    return this.inFlight + this.heldElsewhere;
  }
}
