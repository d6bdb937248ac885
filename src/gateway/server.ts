import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";

import type { Clock } from "../contracts/clock.ts";
import type { Ms } from "../core/units.ts";
import { WHO } from "./who.ts";

/** One request and the response to it. `confirm` is there where the client waits for `100 Continue`. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly confirm?: () => void;
}

/**
 * Time for the headers, and for headers and body together, of one request: what a slow upload of a large body needs, and
 * no more, since a connection that dribbles costs memory. Answers may take as long as they like.
 */
const HEADERS_TIMEOUT_MS: Ms = 15_000;
const REQUEST_TIMEOUT_MS: Ms = 120_000;
/** Longer than the idle time of common load balancers, so that they close first. */
const KEEP_ALIVE_MS: Ms = 75_000;
/** How long a client that sent no HTTP may keep its side open after it has been told. */
const LINGER_MS: Ms = 1_000;

/** A strict HTTP/1.1 listener: whatever Node's parser rejects is answered and closed, and never reaches a handler. */
export function createListener(handle: (visit: Visit) => void, clock: Clock): Server {
  const server = createServer({
    maxHeaderSize: 16_384,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 5_000,
    noDelay: true,
    insecureHTTPParser: false,
    // Refused with the other bad heads, in a way that a client can read while it is still sending.
    requireHostHeader: false,
  });
  server.on("request", (request, response) => inTurn(response, () => handle({ request, response })));
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    inTurn(response, () => handle({ request, response, confirm: () => response.writeContinue() }));
  });
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    inTurn(response, () => handle({ request, response }));
  });
  server.on("connect", (_: IncomingMessage, socket: Duplex) => {
    if (hasOpenAnswer(socket)) return breakOff(socket);
    // The server has let go of this socket: nobody else would ever close it.
    const refusal = "HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    socket.end(refusal, () => socket.destroy());
  });
  server.on("clientError", (error, socket) => {
    if (!answerClientError(error, socket)) return;
    // Its request must not hold on to what it has taken so far.
    const cancel = clock.after(LINGER_MS, () => socket.destroy());
    socket.once("close", cancel);
  });
  return server;
}

/**
 * Runs `begin` when the connection is this answer's own. A request that was pipelined behind another waits until then: it
 * holds nothing meanwhile, and is gone with the connection, of which its response would not hear.
 */
function inTurn(response: ServerResponse, begin: () => void): void {
  if (response.socket === null) response.once("socket", begin);
  else begin();
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["HPE_HEADER_OVERFLOW", "431 Request Header Fields Too Large"],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", "413 Payload Too Large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "408 Request Timeout"],
]);

const WHYS: ReadonlyMap<string, string> = new Map([
  ["HPE_HEADER_OVERFLOW", "the headers of the request are too large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "the request did not come in whole in time"],
]);

/**
 * Says what is wrong with a request that could not be parsed, and closes our side. A reset connection is past telling.
 * False: the connection is gone or going.
 */
function answerClientError(error: Error & { code?: string }, socket: Duplex): boolean {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return false;
  }
  // A status line in the middle of an answer, or in place of one to an earlier request, would be taken for part of it.
  if (hasOpenAnswer(socket)) {
    breakOff(socket);
    return false;
  }
  const reason = REASONS.get(error.code ?? "") ?? "400 Bad Request";
  const why = WHYS.get(error.code ?? "") ?? "the request is not valid HTTP";
  const body = `{"error":{"message":"${WHO} ${why}.","type":"invalid_request_error","param":null,"code":"invalid_request"}}`;
  socket.end(
    `HTTP/1.1 ${reason}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  return true;
}

/** Closes a connection after what has been written to it already. */
function breakOff(socket: Duplex): void {
  if (socket instanceof Socket) socket.destroySoon();
  else socket.destroy();
}

/** Whether an answer has begun, or is still due to a request that came in whole. */
function hasOpenAnswer(socket: object): boolean {
  if (!("_httpMessage" in socket)) return false;
  const message = socket._httpMessage;
  return message instanceof ServerResponse && (message.headersSent || message.req.complete);
}
