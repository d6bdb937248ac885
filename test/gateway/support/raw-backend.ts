import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

import { onTestFinished } from "vitest";

import { until } from "./raw-client.ts";

/** One request as a backend saw it. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  /** Lower-case names and values as they came. */
  readonly fields: readonly (readonly [string, string])[];
}

/** A backend that records what it gets, and answers as it is told. */
export interface ScriptedBackend {
  readonly port: number;
  readonly visits: readonly Visit[];
  /** The connections that are open now. */
  readonly connections: number;
  /** How many connections there ever were. */
  readonly accepted: number;
  /** The visit of that number, once it has come. */
  visit(index?: number): Promise<Visit>;
  /** Stops listening and drops every connection. */
  stop(): Promise<void>;
  /** Listens again on the same port. */
  restart(): Promise<void>;
}

/** What a script does with a visit; one that does nothing leaves it to the test. */
export type Script = (visit: Visit, index: number) => void;

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, json: unknown): void {
  const body = JSON.stringify(json);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

export const answerOk: Script = ({ response }) => sendJson(response, 200, { ok: true });
export const hold: Script = () => {};

/** Starts an HTTP backend; it closes when the test is over. */
export async function startBackend(script: Script = answerOk): Promise<ScriptedBackend> {
  const visits: Visit[] = [];
  const server = createHttpServer({ keepAliveTimeout: 0 }, (request, response) => {
    const chunks: Buffer[] = [];
    response.on("error", () => {});
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const visit = { request, response, body: Buffer.concat(chunks), fields: fieldsOf(request.rawHeaders) };
      visits.push(visit);
      script(visit, visits.length - 1);
    });
  });
  const sockets = await listen(server);
  const { port } = addressOf(server);
  return {
    port,
    visits,
    get connections(): number {
      return sockets.open.size;
    },
    get accepted(): number {
      return sockets.accepted;
    },
    visit: async (index = 0) => {
      await until(() => visits.length > index);
      return visits[index] as Visit;
    },
    stop: () => stop(server, sockets),
    restart: async () => {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
  };
}

/** One connection to a backend that speaks no HTTP but what the test writes. */
export interface RawPeer {
  readonly socket: Socket;
  /** What came so far. */
  readonly text: string;
  /** The gate has closed its side. */
  readonly ended: boolean;
  /** Resolves once this has come. */
  received(text: string): Promise<void>;
  send(text: string): void;
}

export interface RawBackend {
  readonly port: number;
  readonly peers: readonly RawPeer[];
  readonly connections: number;
  peer(index?: number): Promise<RawPeer>;
  stop(): Promise<void>;
}

/** Starts a backend of bare sockets that do not close by themselves when the other side has. */
export async function startRawBackend(script: (peer: RawPeer, index: number) => void = () => {}): Promise<RawBackend> {
  const peers: RawPeer[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const peer = peerOf(socket);
    peers.push(peer);
    script(peer, peers.length - 1);
  });
  const sockets = await listen(server);
  return {
    port: addressOf(server).port,
    peers,
    get connections(): number {
      return sockets.open.size;
    },
    peer: async (index = 0) => {
      await until(() => peers.length > index);
      return peers[index] as RawPeer;
    },
    stop: () => stop(server, sockets),
  };
}

function peerOf(socket: Socket): RawPeer {
  let text = "";
  let ended = false;
  const awaited = new Set<() => void>();
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    text += chunk;
    for (const look of awaited) look();
  });
  socket.on("end", () => (ended = true));
  return {
    socket,
    get text(): string {
      return text;
    },
    get ended(): boolean {
      return ended;
    },
    received: (part) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!text.includes(part)) return;
          awaited.delete(look);
          resolve();
        };
        awaited.add(look);
        look();
      }),
    send: (data) => void socket.write(data, "latin1"),
  };
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = addressOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Sockets {
  readonly open: Set<Socket>;
  accepted: number;
}

async function listen(server: Server): Promise<Sockets> {
  const sockets: Sockets = { open: new Set(), accepted: 0 };
  server.on("connection", (socket: Socket) => {
    sockets.open.add(socket);
    sockets.accepted += 1;
    socket.on("error", () => {});
    socket.on("close", () => sockets.open.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => stop(server, sockets));
  return sockets;
}

async function stop(server: Server, sockets: Sockets): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  for (const socket of sockets.open) socket.destroy();
  await closed;
}

function addressOf(server: Server): AddressInfo {
  return server.address() as AddressInfo;
}

function fieldsOf(raw: readonly string[]): (readonly [string, string])[] {
  const fields: (readonly [string, string])[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    fields.push([(raw[index] ?? "").toLowerCase(), raw[index + 1] ?? ""]);
  }
  return fields;
}
