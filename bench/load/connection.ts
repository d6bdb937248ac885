import { connect, type Socket } from "node:net";

import { type MessageListener, MessageReader } from "../wire/message-reader.ts";

/** Counters of one run. */
export interface Traffic {
  chunks: number;
  reads: number;
}

/** One client connection: one request at a time, and a new socket when the old one has closed. */
export class Connection implements MessageListener {
  readonly #port: number;
  #traffic: Traffic = { chunks: 0, reads: 0 };
  #reader = new MessageReader(this);
  #socket: Socket | undefined;
  #answered: ((status: number) => void) | undefined;
  #onChunk: (() => void) | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** `answered` gets the status of the whole answer, or 0 if there was none. */
  send(request: Buffer, traffic: Traffic, answered: (status: number) => void): void {
    this.#traffic = traffic;
    this.#answered = answered;
    this.#socket ??= this.#open();
    this.#socket.write(request);
  }

  /** Calls back once, with the next chunk. */
  onceChunk(run: () => void): void {
    this.#onChunk = run;
  }

  close(): void {
    this.#answered = undefined;
    this.#socket?.destroy();
  }

  message(head: string): void {
    this.#answer(Number(head.slice(9, 12)));
  }

  chunk(): void {
    this.#traffic.chunks += 1;
    const run = this.#onChunk;
    this.#onChunk = undefined;
    run?.();
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#reader = new MessageReader(this);
    socket.on("data", (piece) => {
      this.#traffic.reads += 1;
      this.#reader.push(piece);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#answer(0);
    });
    return socket;
  }

  #answer(status: number): void {
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.(status);
  }
}
