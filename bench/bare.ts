/*
 * The least that a relay in Node can be: node:http in front, undici behind, the body kept whole in between. No headers
 * are looked at, nothing is counted, no error is handled. What the gate costs is measured against this.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { type Dispatcher, Pool } from "undici";

import { answer, usage } from "./process/answer.ts";
import { BARE_REFUSAL } from "./wire/answer.ts";

const [, , role, backendPort] = process.argv;

// The gate's own, so that sockets live as long here as there.
const server = createServer({ noDelay: true, keepAliveTimeout: 75_000, requestTimeout: 120_000 });
const pool = new Pool(`http://127.0.0.1:${backendPort}`, {
  headersTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: 4_000,
});

server.on("request", (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    if (role === "refuse") refuse(response);
    else relay(request, chunks.length === 1 ? (chunks[0] ?? null) : Buffer.concat(chunks), response);
  });
});
server.listen(0, "127.0.0.1", () => answer((server.address() as AddressInfo).port, usage));

function refuse(response: ServerResponse): void {
  response.writeHead(429, { "content-type": "application/json", "content-length": BARE_REFUSAL.length });
  response.end(BARE_REFUSAL);
}

function relay(request: IncomingMessage, body: Buffer | null, response: ServerResponse): void {
  const { method = "GET", url = "/", rawHeaders: headers } = request;
  pool.dispatch({ method, path: url, headers, body }, new Passage(response));
}

class Passage implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const raw = controller.rawHeaders as Buffer[];
    this.#response.writeHead(
      status,
      raw.map((part) => part.toString("latin1")),
    );
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once("drain", () => controller.resume());
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    this.#response.destroy();
  }
}
