/** Servers that answer as a test says, and a listener that writes down what it hears. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { onTestFinished } from "vitest";

import { type HttpDoor, openDoor } from "../../src/lab/http/door.ts";
import type { AnswerEnd, AnswerHead, AnswerListener, Question } from "../../src/lab/load/types.ts";

export interface ScriptedServer {
  readonly url: string;
  /** The bodies of all requests so far. */
  readonly bodies: readonly string[];
  readonly requests: readonly IncomingMessage[];
  /** Connections that were ever opened. */
  readonly opened: () => number;
  /** Connections that are open. */
  readonly open: () => number;
}

/** A server that lets `answer` answer once it has the whole request. It goes away with the test. */
export async function serveWith(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
): Promise<ScriptedServer> {
  const bodies: string[] = [];
  const requests: IncomingMessage[] = [];
  let opened = 0;
  let open = 0;
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (piece: string) => (body += piece));
    request.on("error", () => {});
    request.on("end", () => {
      bodies.push(body);
      requests.push(request);
      answer(response, request);
    });
  });
  server.on("connection", (socket) => {
    opened += 1;
    open += 1;
    socket.on("error", () => {});
    socket.once("close", () => (open -= 1));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, bodies, requests, opened: () => opened, open: () => open };
}

/** A door to a server, closed with the test. Asks for the model `m`. */
export async function doorTo(url: string, headerTimeScale = 1): Promise<HttpDoor> {
  const door = await openDoor({ url, model: "m", headerTimeScale });
  onTestFinished(() => door.close());
  return door;
}

export function question(some: Partial<Question> = {}): Question {
  return {
    number: 1,
    consumer: "alice",
    key: "k-alice",
    api: "chat",
    model: undefined,
    promptTokens: 20,
    maxTokens: 8,
    stream: true,
    fresh: false,
    body: {},
    ...some,
  };
}

/** What a listener heard, in order: a head, numbers of pieces, an end. */
export class Heard implements AnswerListener {
  readonly heads: AnswerHead[] = [];
  readonly ends: AnswerEnd[] = [];
  pieces = 0;
  /** Resolves at the end. */
  readonly over: Promise<AnswerEnd>;
  readonly #onPiece = new Set<() => void>();
  #resolve: (end: AnswerEnd) => void = () => {};

  constructor() {
    this.over = new Promise((resolve) => (this.#resolve = resolve));
  }

  began(head: AnswerHead): void {
    this.heads.push(head);
  }

  content(pieces: number): void {
    this.pieces += pieces;
    for (const run of this.#onPiece) run();
  }

  ended(end: AnswerEnd): void {
    this.ends.push(end);
    this.#resolve(end);
  }

  /** Resolves at the next content. */
  piece(): Promise<void> {
    return new Promise((resolve) => this.#onPiece.add(resolve));
  }
}

/** Asks, and waits for the end. */
export async function askOnce(door: HttpDoor, some: Partial<Question> = {}): Promise<Heard> {
  const heard = new Heard();
  door.ask(question(some), heard);
  await heard.over;
  return heard;
}

/** Lets the event loop turn until `condition` holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 2_000_000; turn++) {
    if (await condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("the condition never came to hold");
}

export const SSE = { "content-type": "text/event-stream" };

/** One server-sent event. */
export function event(data: unknown): string {
  return `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
}

/** A chunk of a streamed chat. */
export function chunk(delta: object, reason: string | null = null): string {
  return event({ id: "x", choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }] });
}
