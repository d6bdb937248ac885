import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { onTestFinished } from "vitest";

import { type Answer, parseAnswers } from "./raw-answer.ts";

/** Lets the event loop turn until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200_000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("the condition never came to hold");
}

/** Lets the event loop turn some times: for whatever is under way to show, where nothing must happen. */
export async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A client that writes bytes and keeps what comes back. */
export class RawClient {
  readonly socket: Socket;
  /** The server has closed its side. */
  ended = false;
  closed = false;
  readonly #methods: string[] = [];
  readonly #chunks: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on("end", () => (this.ended = true));
    socket.on("close", () => (this.closed = true));
    // A reset shows as `closed`.
    socket.on("error", () => {});
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString("latin1");
  }

  get answers(): readonly Answer[] {
    return parseAnswers(this.bytes, this.#methods, this.ended || this.closed);
  }

  /** Writes lines as they are, each ended by CRLF; an empty one ends the head. */
  head(...lines: readonly string[]): this {
    this.#methods.push(lines[0]?.split(" ", 1)[0] ?? "");
    return this.send(`${lines.join("\r\n")}\r\n\r\n`);
  }

  /** POSTs JSON, or text as it is. */
  post(target: string, body: unknown, ...headers: readonly string[]): this {
    const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
    this.head(`POST ${target} HTTP/1.1`, "Host: gate", ...headers, `Content-Length: ${bytes.length}`);
    return this.send(bytes);
  }

  get(target: string, ...headers: readonly string[]): this {
    return this.head(`GET ${target} HTTP/1.1`, "Host: gate", ...headers);
  }

  send(data: string | Buffer): this {
    if (data.length > 0) this.socket.write(data, "latin1");
    return this;
  }

  /** The answer to the request of that number, once it is complete. */
  async answer(index = 0): Promise<Answer> {
    await until(() => this.answers[index]?.complete === true || this.closed);
    const answer = this.answers[index];
    if (answer === undefined) throw new Error(`no answer ${index}, only: ${JSON.stringify(this.text.slice(0, 500))}`);
    return answer;
  }

  /** Resolves once this has come. */
  async received(text: string): Promise<void> {
    await until(() => this.text.includes(text) || this.closed);
    if (!this.text.includes(text))
      throw new Error(`closed without ${JSON.stringify(text)}: ${JSON.stringify(this.text)}`);
  }

  async gone(): Promise<void> {
    await until(() => this.closed);
  }
}

/** Connects, and disconnects when the test is over. */
export async function connectTo(port: number, options: { allowHalfOpen?: boolean } = {}): Promise<RawClient> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: options.allowHalfOpen ?? false, noDelay: true });
  await once(socket, "connect");
  onTestFinished(() => void socket.destroy());
  return new RawClient(socket);
}

/** What the gate says in an error of the OpenAI shape. */
export function errorOf(answer: Answer): { message: string; type: string; param: string | null; code: string } {
  const { error } = JSON.parse(answer.body) as { error: { message: string; type: string; param: null; code: string } };
  return error;
}
