/** Backends, gates and clients that a test plays by hand, step by step, without a moment of waiting for time. */
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";

import { expect } from "vitest";

import { type BackendConfig, type DeploymentConfig, simpleConfig } from "../../../src/config/index.ts";
import { createGateway, type Gateway, type GatewayOptions } from "../../../src/gateway/index.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { openResources, PortWatch } from "./storm-watch.ts";

/** A backend whose every answer the test writes. */
class HandBackend {
  readonly #server: Server;
  readonly #arrived: ServerResponse[] = [];
  #wanted: ((response: ServerResponse) => void)[] = [];
  port = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      response.on("error", () => {});
      request.resume().on("end", () => {
        const wanted = this.#wanted.shift();
        if (wanted === undefined) this.#arrived.push(response);
        else wanted(response);
      });
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.port, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (address !== null && typeof address === "object") this.port = address.port;
  }

  /** Refuses connections from now on; those that are open stay. */
  stopListening(): void {
    this.#server.close();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** The answer that the next request waits for, once the request has come in whole. */
  next(): Promise<ServerResponse> {
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    return new Promise((resolve) => this.#wanted.push(resolve));
  }

  /** Answers the next request with the head and first event of a stream, and leaves it open. */
  async stream(): Promise<ServerResponse> {
    const response = await this.next();
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(EVENT);
    return response;
  }
}

export const EVENT = 'data: {"choices":[{"delta":{"content":"word "}}]}\n\n';
export const DONE = "data: [DONE]\n\n";
const CHAT = { model: "any", messages: [{ role: "user", content: "Hello." }], stream: true };

/** What a test of one gate has at hand. Time stands still unless the test moves it. */
export interface HandSite {
  readonly clock: VirtualClock;
  readonly gateway: Gateway;
  /** Where the gate listens. */
  readonly port: number;
  readonly backends: readonly HandBackend[];
  /** The first backend. */
  readonly backend: HandBackend;
  /** What the gate's listener sees. */
  readonly gate: PortWatch;
  /** What the listeners of the backends see. */
  readonly behind: PortWatch;
}

export interface HandOptions extends Omit<GatewayOptions, "clock"> {
  readonly deployment?: Partial<Omit<DeploymentConfig, "backends">>;
  /** One of each; one backend where left out. */
  readonly backends?: readonly Partial<BackendConfig>[];
}

/** Runs `body` with a gate in front of hand-played backends, stops all of it, and holds that nothing is left. */
export async function withHands(options: HandOptions, body: (site: HandSite) => Promise<void>): Promise<void> {
  const { deployment, backends: settings = [{}], ...rest } = options;
  const before = openResources();
  const backends = settings.map(() => new HandBackend());
  await Promise.all(backends.map((backend) => backend.listen()));
  const [backend] = backends;
  if (backend === undefined) throw new Error("no backend");
  const result = simpleConfig({ port: 0, backends: backends.map(({ port }) => `http://127.0.0.1:${port}`) });
  if (result.kind === "invalid") throw new Error(JSON.stringify(result.problems));
  const deployments = result.config.deployments.map((defaults) => ({
    ...defaults,
    ...deployment,
    backends: defaults.backends.map((defaults, index) => ({ ...defaults, ...settings[index] })),
  }));
  const clock = new VirtualClock();
  const gateway = createGateway({ ...result.config, deployments }, { probeIntervalMs: 0, ...rest, clock });
  const { port } = await gateway.listen();
  using gate = new PortWatch(() => [port]);
  using behind = new PortWatch(() => backends.map((backend) => backend.port));
  try {
    await body({ clock, gateway, port, backends, backend, gate, behind });
    await gateway.close();
    await gate.when(() => gate.sockets === 0);
    await behind.when(() => behind.sockets === 0);
    expectNothing(gateway);
    expect(clock.pending).toBe(0);
  } finally {
    await gateway.close();
    await Promise.all(backends.map((backend) => backend.close()));
  }
  for (let turn = 0; turn < 2; turn++) await nextTurn();
  const after = openResources();
  expect(after.sockets).toBe(before.sockets);
  expect(after.timers).toBeLessThanOrEqual(before.timers);
}

/** No request has left anything behind. */
export function expectNothing(gateway: Gateway): void {
  const stats = gateway.stats();
  expect(stats).toMatchObject({ open: 0, in_flight: 0, waiting: 0, buffered_bytes: 0 });
  for (const deployment of Object.values(stats.deployments)) {
    expect(deployment).toMatchObject({ late_settlements: 0, unseated: { in_flight: 0, waiting: 0 } });
    for (const backend of deployment.backends) expect(backend.in_flight).toBe(0);
  }
}

export interface Call {
  readonly path?: string;
  readonly body?: object;
}

/** Sends a request on a connection of its own. Resolves with the head of the answer; its body has not been read. */
export function open(
  port: number,
  { path = "/v1/chat/completions", body = CHAT }: Call = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, path, method: "POST", agent: false });
    request.on("error", reject);
    request.on("response", (response) => {
      response.on("error", () => {});
      resolve(response);
    });
    request.end(JSON.stringify(body));
  });
}

export interface Ending {
  readonly text: string;
  /** False: the connection closed in the middle. */
  readonly whole: boolean;
}

/** Reads an answer to its end, or to where it breaks off. */
export function rest(response: IncomingMessage): Promise<Ending> {
  let text = "";
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => (text += chunk));
  return new Promise((resolve) => {
    response.on("close", () => resolve({ text, whole: response.complete }));
  });
}
