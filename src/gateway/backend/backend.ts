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
  readonly apiKey: string | undefined;
  readonly onClientDisconnect: BackendConfig["onClientDisconnect"];
  /** Requests that it may have open at once. */
  readonly seats: number;
  readonly health: Health = new Health();
  readonly pool: ConnectionPool;
  /** Requests with a seat that are open there. */
  inFlight = 0;
  requests = 0;
  failures = 0;

  constructor(config: BackendConfig, seats: number, connections: ConnectionOptions) {
    const url = new URL(config.url);
    this.url = config.url;
    this.origin = url.origin;
    this.host = url.host;
    this.prefix = url.pathname === "/" ? "" : url.pathname.replace(/\/$/, "");
    this.apiKey = config.apiKey === undefined || config.apiKey === "" ? undefined : config.apiKey;
    this.onClientDisconnect = config.onClientDisconnect;
    this.seats = Math.min(seats, config.maxConcurrent ?? seats);
    this.pool = new ConnectionPool(url.origin, connections);
  }

  get load(): number {
    return this.inFlight / this.seats;
  }
}
