import type { IncomingHttpHeaders } from "node:http";

import { buildConnector, Client, type Dispatcher } from "undici";

import type { AnswerEnd, AnswerListener } from "../load/types.ts";
import type { Api } from "../scenario/types.ts";
import { type AnswerReader, readerFor } from "./answer-reader.ts";
import { readHead } from "./head.ts";
import { reasonOf } from "./reason.ts";

/** Model servers close idle sockets after 5 s; leaving well before avoids the resets of both doing it at once. */
const IDLE_MS = 2_000;
const CONNECT_MS = 10_000;

const connect = buildConnector({ timeout: CONNECT_MS, keepAlive: true });

/** One request at a time on a socket, which opens when it is needed and closes when it was idle for 2 s. */
export class Connection {
  readonly #client: Client;
  #answer: Answer | undefined;

  constructor(origin: string) {
    this.#client = new Client(origin, {
      connect,
      pipelining: 1,
      // Whoever asks has patience of their own.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      maxHeaderSize: 65_536,
    });
  }

  /** Sends a request. It must be free: the answer before has ended by itself. */
  send(options: Dispatcher.DispatchOptions, answer: Answer): void {
    this.#answer = answer;
    this.#client.dispatch(options, answer);
    answer.sent();
  }

  /** Closes the socket at once. Nothing is heard of an answer any more. Resolves when all is closed. */
  async destroy(): Promise<void> {
    this.#answer?.ignore();
    await this.#client.destroy();
  }
}

export interface AnswerOptions {
  readonly api: Api;
  readonly listener: AnswerListener;
  /** Milliseconds of scenario time in one of the server's. */
  readonly timeScale: number;
  /** Called once, before the listener hears that it ended, so that whoever asks again at once finds a connection. */
  readonly over: () => void;
}

/** One answer on its way from the socket to its listener. */
export class Answer implements Dispatcher.DispatchHandler {
  readonly #options: AnswerOptions;
  #reader: AnswerReader | undefined;
  #isSent = false;
  #isOver = false;

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** From now on the listener may be called. */
  sent(): void {
    this.#isSent = true;
  }

  /** From now on it is not called any more. */
  ignore(): void {
    this.#isOver = true;
  }

  // undici takes a handler without this one for an old kind.
  onRequestStart(): void {}

  onResponseStart(_: unknown, status: number, headers: IncomingHttpHeaders): void {
    // Informational ones come before the answer.
    if (this.#isOver || status < 200) return;
    const { api, listener, timeScale } = this.#options;
    this.#reader = readerFor(api, status, headers);
    listener.began(readHead(status, headers, timeScale));
  }

  onResponseData(_: unknown, bytes: Buffer): void {
    if (this.#isOver) return;
    const pieces = this.#reader?.push(bytes) ?? 0;
    if (pieces > 0) this.#options.listener.content(pieces);
  }

  onResponseEnd(): void {
    if (this.#isOver || this.#reader === undefined) return;
    const { content, end } = this.#reader.finish();
    if (content > 0) this.#options.listener.content(content);
    this.#end(end);
  }

  onResponseError(_: unknown, error: Error): void {
    const end: AnswerEnd = this.#reader?.cut() ?? { kind: "failed", reason: reasonOf(error) };
    if (this.#isSent) this.#end(end);
    else queueMicrotask(() => this.#end(end));
  }

  #end(end: AnswerEnd): void {
    // A listener that heard the last piece may have hung up.
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.over();
    this.#options.listener.ended(end);
  }
}
