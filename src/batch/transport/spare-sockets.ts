import type { Socket } from "node:net";

import { buildConnector } from "undici";

import type { Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";

export interface SpareSocketsOptions {
  readonly base: URL;
  /** So many are open ahead of their requests. */
  readonly count: number;
  readonly connectMs: Ms;
  readonly clock: Clock;
}

/** Many servers close a connection that says nothing for five seconds. */
const FRESH_MS: Ms = 4_000;

/**
 * Connections that are open before there is a request for them. A limit is held by the time at which requests go out; one that
 * first has to wait for its connection arrives late, and the next on time, closer together than the limit allows.
 */
export class SpareSockets {
  readonly #options: SpareSocketsOptions;
  readonly #connect: buildConnector.connector;
  readonly #spare: { readonly socket: Socket; readonly at: Ms }[] = [];
  #opening = 0;
  #isClosed = false;

  constructor(options: SpareSocketsOptions) {
    this.#options = options;
    this.#connect = buildConnector({ timeout: options.connectMs, keepAlive: true });
  }

  /** Resolves when the spare ones are there, or cannot be had: their requests will say why. */
  async open(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.count }, () => this.#add()));
  }

  /** Gives a spare connection away, and opens another in its place. What undici calls for a new connection. */
  readonly connect: buildConnector.connector = (options, callback) => {
    const socket = this.#take();
    if (socket === undefined) return this.#connect(options, callback);
    // undici sends nothing on a connection that is there before its call has returned.
    queueMicrotask(() => callback(null, socket));
    if (!this.#isClosed) void this.#add();
  };

  close(): void {
    this.#isClosed = true;
    for (const { socket } of this.#spare.splice(0)) socket.destroy();
  }

  #take(): Socket | undefined {
    const now = this.#options.clock.now();
    for (let spare = this.#spare.shift(); spare !== undefined; spare = this.#spare.shift()) {
      const { socket, at } = spare;
      if (!socket.destroyed && socket.readable && now - at < FRESH_MS) return socket;
      socket.destroy();
    }
    return undefined;
  }

  #add(): Promise<void> {
    if (this.#spare.length + this.#opening >= this.#options.count) return Promise.resolve();
    const { protocol, hostname, host, port } = this.#options.base;
    this.#opening += 1;
    return new Promise((resolve) => {
      this.#connect({ protocol, hostname, host, port }, (error, socket) => {
        this.#opening -= 1;
        if (error === null) this.#keep(socket);
        resolve();
      });
    });
  }

  #keep(socket: Socket): void {
    if (this.#isClosed) return void socket.destroy();
    socket.on("error", () => {});
    this.#spare.push({ socket, at: this.#options.clock.now() });
  }
}
