import { Connection, type ConnectionOptions } from "./connection.ts";

/** The connections to one backend: the one used last is used first, so that those not needed go idle and close. */
export class ConnectionPool {
  readonly #origin: string;
  readonly #options: ConnectionOptions;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  #closed = false;
  #retired = false;

  constructor(origin: string, options: ConnectionOptions) {
    this.#origin = origin;
    this.#options = options;
  }

  /** The gate has stopped: nobody should ask for a connection any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** A connection with nothing on it. `fresh` asks for one whose socket cannot have gone stale. */
  acquire(fresh = false): Connection {
    const idle = fresh ? undefined : this.#idle.pop();
    if (idle !== undefined) return idle;
    const connection = new Connection(this.#origin, this.#options, (lost) => this.#forget(lost));
    this.#all.add(connection);
    return connection;
  }

  /** Takes back a connection whose request is over. */
  release(connection: Connection): void {
    if (connection.usable && !this.#retired) return void this.#idle.push(connection);
    connection.retire();
    this.#all.delete(connection);
  }

  /** Closes idle sockets now, and those in use when their request is over. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) {
      connection.retire();
      this.#all.delete(connection);
    }
  }

  /** Is used again after it was retired. */
  revive(): void {
    this.#retired = false;
  }

  /** Closes every socket, also those in use. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#all) connection.retire();
    this.#all.clear();
    this.#idle.length = 0;
  }

  /** A connection whose socket closed while it was idle is of no more use. */
  #forget(connection: Connection): void {
    const index = this.#idle.lastIndexOf(connection);
    if (index === -1) return;
    this.#idle.splice(index, 1);
    connection.retire();
    this.#all.delete(connection);
  }
}
