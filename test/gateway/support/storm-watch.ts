import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How many timers, sockets and listeners keep the process alive. */
export function openResources(): { readonly timers: number; readonly sockets: number } {
  const names = process.getActiveResourcesInfo();
  return {
    timers: names.filter((name) => name === "Timeout").length,
    sockets: names.filter((name) => name.startsWith("TCP")).length,
  };
}

/** Something that is waited for: checked whenever anything happens at the port. */
interface Hope {
  readonly holds: () => boolean;
  readonly resolve: () => void;
}

/**
 * Watches HTTP servers of this process from outside, by what Node tells about their sockets and POST requests: an account
 * that neither the gate nor the simulated model keeps, and events to wait for in place of sleeping.
 */
export class PortWatch implements Disposable {
  readonly #ports: () => readonly number[];
  #hopes: Hope[] = [];
  /** Sockets that are open now. */
  sockets = 0;
  maxSockets = 0;
  /** Requests whose headers came in. */
  requests = 0;
  /** Requests that came in whole. */
  received = 0;
  /** Requests without the end of their response, or of their connection. */
  open = 0;
  maxOpen = 0;

  /** `ports` is asked at each event, since a server has none before it listens. */
  constructor(ports: () => readonly number[]) {
    this.#ports = ports;
    subscribe("net.server.socket", this.#onSocket);
    subscribe("http.server.request.start", this.#onRequest);
  }

  [Symbol.dispose](): void {
    unsubscribe("net.server.socket", this.#onSocket);
    unsubscribe("http.server.request.start", this.#onRequest);
  }

  /** Resolves as soon as `holds` does, within the turn of the event that makes it hold. */
  when(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#hopes.push({ holds, resolve });
      this.#happened();
    });
  }

  #happened(): void {
    const fulfilled = this.#hopes.filter(({ holds }) => holds());
    if (fulfilled.length === 0) return;
    this.#hopes = this.#hopes.filter((hope) => !fulfilled.includes(hope));
    for (const { resolve } of fulfilled) resolve();
  }

  #isOurs({ localPort }: Socket): boolean {
    return localPort !== undefined && this.#ports().includes(localPort);
  }

  readonly #onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    if (!this.#isOurs(socket)) return;
    this.sockets += 1;
    this.maxSockets = Math.max(this.maxSockets, this.sockets);
    socket.once("close", () => {
      this.sockets -= 1;
      this.#happened();
    });
    this.#happened();
  };

  readonly #onRequest = (message: unknown): void => {
    const { request, response, socket } = message as {
      request: IncomingMessage;
      response: ServerResponse;
      socket: Socket;
    };
    if (!this.#isOurs(socket) || request.method !== "POST") return;
    this.requests += 1;
    this.open += 1;
    this.maxOpen = Math.max(this.maxOpen, this.open);
    request.once("end", () => {
      this.received += 1;
      this.#happened();
    });
    response.once("close", () => {
      this.open -= 1;
      this.#happened();
    });
    this.#happened();
  };
}
