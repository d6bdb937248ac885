import type { Socket } from "node:net";

import { buildConnector, Client, type Dispatcher } from "undici";

import type { Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";

/** How connections to one backend are made and ended. */
export interface ConnectionOptions {
  readonly clock: Clock;
  readonly connectMs: Ms;
  /** How long a backend may take to close its side after ours is closed, before the socket is destroyed. */
  readonly abortGraceMs: Ms;
}

/** Servers close idle sockets after 5 s at the earliest; leaving first avoids most races. */
const IDLE_MS: Ms = 4_000;

/**
 * One socket to a backend, for one request at a time. It is an undici `Client` of which we also know the socket: that
 * is what lets a seat be held until the backend itself has closed an aborted request.
 */
export class Connection {
  /** Requests that were answered in full on the present socket. Above 0, a reset means that it had gone stale. */
  served = 0;
  readonly #client: Client;
  readonly #options: ConnectionOptions;
  readonly #lost: (connection: Connection) => void;
  #socket: Socket | undefined;
  #retired = false;

  /** `lost` is called whenever the socket has closed. */
  constructor(origin: string, options: ConnectionOptions, lost: (connection: Connection) => void) {
    this.#options = options;
    this.#lost = lost;
    const connect = buildConnector({ timeout: options.connectMs, keepAlive: true });
    this.#client = new Client(origin, {
      pipelining: 1,
      // Ours stand in their place: a model may well be silent for longer than any default allows.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      maxHeaderSize: 65_536,
      connect: (target, callback) => {
        connect(target, (...result) => {
          const [error, socket] = result;
          if (error !== null) return callback(error, null);
          this.#connected(socket);
          callback(null, socket);
        });
      },
    });
  }

  /** Whether the next request can go out on the socket that is there. */
  get usable(): boolean {
    return !this.#retired && this.#socket?.destroyed === false;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(options, handler);
  }

  /**
   * Ends the request that is on this connection, and the connection with it: closes our side, so that the backend
   * notices, and calls `closed` once the backend has closed its own. One that does not is cut off after the grace time.
   */
  hangUp(closed: () => void): void {
    this.#retired = true;
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) {
      this.retire();
      return closed();
    }
    const cancel = this.#options.clock.after(this.#options.abortGraceMs, () => socket.destroy());
    socket.once("close", () => {
      cancel();
      this.retire();
      closed();
    });
    socket.end();
  }

  /** Closes the socket at once. For a connection without a request. */
  retire(): void {
    this.#retired = true;
    // Whatever is still queued hears of it as an error of its own.
    this.#client.destroy().catch(() => {});
  }

  #connected(socket: Socket): void {
    this.served = 0;
    this.#socket = socket;
    socket.once("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#lost(this);
    });
  }
}
