/** When a backend gets no more requests, and how it comes back. */
import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { answerOk, closedPort, hold, sendJson, startBackend, startRawBackend } from "./support/raw-backend.ts";
import { errorOf, type RawClient, turns, until } from "./support/raw-client.ts";
import {
  type BackendSetup,
  CHAT,
  type GateSetup,
  startSimpleGate,
  type TestGate,
  WatchedClock,
} from "./support/raw-gate.ts";

interface Scene {
  readonly gate: TestGate;
  readonly clock: WatchedClock;
  readonly client: RawClient;
  /** Sends one request after the other, and returns the statuses. */
  readonly ask: (count?: number) => Promise<number[]>;
  readonly healthy: () => boolean[];
}

async function scene(backends: readonly BackendSetup[], setup: Partial<GateSetup> = {}): Promise<Scene> {
  const clock = new WatchedClock();
  const gate = await startSimpleGate(backends, {}, { clock, ...setup });
  const client = await gate.connect();
  let asked = 0;
  return {
    gate,
    clock,
    client,
    ask: async (count = 1) => {
      const statuses: number[] = [];
      for (let index = 0; index < count; index++) {
        client.post("/v1/chat/completions", CHAT);
        statuses.push((await client.answer(asked)).status);
        asked += 1;
      }
      return statuses;
    },
    healthy: () => gate.gateway.stats().deployments["deployment-0"]?.backends.map((backend) => backend.healthy) ?? [],
  };
}

describe("a backend is ejected", () => {
  test("by one refused connection, and told so at once: later requests are 503 with the time to come back", async () => {
    const { gate, client, ask, healthy } = await scene([await closedPort()]);
    expect(await ask(2)).toEqual([502, 503]);
    expect(healthy()).toEqual([false]);
    const answer = await client.answer(1);
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(answer.headers.get("retry-after-ms")).toBe("1000");
    expect(errorOf(answer)).toMatchObject({ code: "backend_unavailable", type: "service_unavailable_error" });
    expect(gate.gateway.stats()).toMatchObject({ outcomes: { backend_failed: 1, no_backend: 1 }, seats: 0 });
    expect(gate.lines.find(({ level }) => level === "warn")?.facts).toMatchObject({ probe_in_ms: 1_000 });
  });

  test("by two connections in a row that break", async () => {
    const bad = await startRawBackend((peer) => void peer.received("hello").then(() => peer.socket.destroy()));
    const { ask, healthy } = await scene([bad.port]);
    expect(await ask()).toEqual([502]);
    expect(healthy()).toEqual([true]);
    expect(await ask(2)).toEqual([502, 503]);
    expect(healthy()).toEqual([false]);
  });

  test("by three server errors in a row, if it is not the last one", async () => {
    const bad = await startBackend(({ response }) => sendJson(response, 500, {}));
    const good = await startBackend();
    const { ask, healthy } = await scene([bad.port, good.port]);
    expect((await ask(5)).filter((status) => status === 500)).toHaveLength(3);
    expect(healthy()).toEqual([false, true]);
    expect(await ask(5)).toEqual([200, 200, 200, 200, 200]);
    expect(bad.visits).toHaveLength(3);
  });

  test("not by server errors with an answer between them", async () => {
    const moody = await startBackend((visit, index) => {
      if (index % 3 === 2) answerOk(visit, index);
      else sendJson(visit.response, 500, {});
    });
    const { ask, healthy } = await scene([moody.port, (await startBackend()).port]);
    await ask(18);
    expect(moody.visits).toHaveLength(9);
    expect(healthy()).toEqual([true, true]);
  });

  test("not by client errors, nor by 501, which says that a path is not there", async () => {
    const statuses = [400, 404, 413, 422, 429, 501, 501, 501, 501];
    const picky = await startBackend(({ response }, index) => sendJson(response, statuses[index] ?? 200, {}));
    const { ask, healthy } = await scene([picky.port, (await startBackend()).port]);
    await ask(18);
    expect(picky.visits).toHaveLength(9);
    expect(healthy()).toEqual([true, true]);
  });

  test("not by a poisonous request, however often it is sent: the last one stays", async () => {
    const poisoned = (): ReturnType<typeof startBackend> =>
      startBackend(({ body, response }) => sendJson(response, body.includes("poison") ? 500 : 200, {}));
    const [one, two, three] = [await poisoned(), await poisoned(), await poisoned()];
    const { gate, client, healthy } = await scene([one.port, two.port, three.port]);
    for (let index = 0; index < 30; index++) {
      client.post("/v1/chat/completions", { prompt: "poison" });
      expect((await client.answer(index)).status).toBe(500);
    }
    expect(healthy().filter(Boolean)).toHaveLength(1);
    client.post("/v1/chat/completions", { prompt: "good" });
    expect((await client.answer(30)).status).toBe(200);
    expect(gate.gateway.stats().seats).toBe(4);
  });

  test("while its requests that are under way go on to their end", async () => {
    const backend = await startBackend(hold);
    const { gate, client, healthy } = await scene([backend.port]);
    const running = await gate.connect();
    running.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit(0);
    response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
    await running.received("data: 1");
    for (const visit of [1, 2]) {
      client.post("/v1/chat/completions", CHAT);
      (await backend.visit(visit)).request.socket.destroy();
      await client.answer(visit - 1);
    }
    expect(healthy()).toEqual([false]);
    response.end("data: 2\n\n");
    expect((await running.answer()).body).toBe("data: 1\n\ndata: 2\n\n");
  });
});

describe("an ejected backend", () => {
  test("is probed after a back-off that doubles, and is back as soon as a probe gets through", async () => {
    const backend = await startBackend();
    const { gate, clock, ask, healthy } = await scene([backend.port]);
    await backend.stop();
    expect(await ask(2)).toEqual([502, 503]);
    await clock.scheduled(1_000, 1);
    const backoffs = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
    for (const [index, backoff] of backoffs.entries()) {
      clock.advance(backoff - 1);
      const planned = clock.delays.length;
      await turns();
      expect(clock.delays).toHaveLength(planned);
      clock.advance(1);
      // The next one is planned when this one has failed.
      const next = backoffs[index + 1] ?? 30_000;
      await until(() => clock.delays.length > planned && clock.delays.at(-1) === next);
      expect(healthy()).toEqual([false]);
    }
    await backend.restart();
    clock.advance(29_999);
    await turns();
    expect(backend.visits).toHaveLength(0);
    clock.advance(1);
    await until(() => healthy()[0] === true);
    expect(backend.visits.map(({ request }) => request.url)).toEqual(["/health"]);
    expect(gate.lines.at(-1)).toMatchObject({ level: "info", message: "backend is back" });
    expect(gate.gateway.stats().seats).toBe(4);
    expect(await ask()).toEqual([200]);
  });

  test("that fails again at once waits longer than before, and from the start once it has answered a request", async () => {
    const backend = await startBackend();
    const { gate, clock, ask, healthy } = await scene([backend.port]);
    const backoffs = (): unknown[] =>
      gate.lines.filter(({ message }) => message === "backend ejected").map(({ facts }) => facts["probe_in_ms"]);
    const bringBack = async (after: number): Promise<void> => {
      await backend.restart();
      clock.advance(after);
      await until(() => healthy()[0] === true);
    };
    await backend.stop();
    await ask();
    await bringBack(1_000);
    await backend.stop();
    await ask();
    await bringBack(2_000);
    expect(await ask()).toEqual([200]);
    await backend.stop();
    // The first finds a connection that has gone stale, and then nobody.
    await ask();
    expect(backoffs()).toEqual([1_000, 2_000, 1_000]);
  });

  test("lets those who wait have its seats when it comes back", async () => {
    const backend = await startBackend(hold);
    const clock = new VirtualClock();
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1 }, { clock });
    const clients = [await gate.connect(), await gate.connect(), await gate.connect()] as const;
    clients[0].post("/v1/chat/completions", CHAT);
    await backend.visit(0);
    for (const client of clients.slice(1)) client.post("/v1/chat/completions", CHAT);
    await until(() => gate.gateway.stats().waiting === 2);
    await backend.stop();
    expect((await clients[0].answer()).status).toBe(502);
    await until(() => gate.gateway.stats().seats === 0);
    // The one that was next found nobody there; the last one waits on.
    expect(gate.gateway.stats().waiting).toBe(1);
    await backend.restart();
    clock.advance(1_000);
    const probe = await backend.visit(1);
    expect(probe.request.url).toBe("/health");
    sendJson(probe.response, 200, {});
    sendJson((await backend.visit(2)).response, 200, {});
    const answers = await Promise.all(clients.slice(1).map((client) => client.answer()));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 502]);
  });

  test("that never comes back makes those who wait 503 backend_unavailable", async () => {
    const backend = await startBackend(hold);
    const clock = new VirtualClock();
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1 }, { clock });
    const clients = [await gate.connect(), await gate.connect(), await gate.connect()] as const;
    clients[0].post("/v1/chat/completions", CHAT);
    await backend.visit(0);
    for (const client of clients.slice(1)) client.post("/v1/chat/completions", CHAT);
    await until(() => gate.gateway.stats().waiting === 2);
    await backend.stop();
    await until(() => gate.gateway.stats().seats === 0);
    clock.advance(60_000);
    const answers = await Promise.all(clients.map((client) => client.answer()));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([502, 502, 503]);
    const refused = answers.find(({ status }) => status === 503);
    expect(refused?.headers.get("x-headgate-outcome")).toBe("no_backend");
    expect(refused?.headers.get("x-headgate-queue-ms")).toBe("60000");
    expect(refused?.headers.has("retry-after")).toBe(true);
  });
});

describe("probes", () => {
  test("of healthy backends come at their interval, with the backend's prefix and key", async () => {
    const backend = await startBackend();
    const setup = { port: backend.port, prefix: "/tenant", apiKey: "backend-key" };
    const { clock } = await scene([setup], { probeIntervalMs: 10_000 });
    clock.advance(9_999);
    await turns();
    expect(backend.visits).toHaveLength(0);
    clock.advance(1);
    const { request } = await backend.visit(0);
    expect([request.method, request.url, request.headers.authorization]).toEqual([
      "GET",
      "/tenant/health",
      "Bearer backend-key",
    ]);
    await clock.scheduled(10_000, 2);
    clock.advance(10_000);
    await backend.visit(1);
    expect(backend.accepted).toBe(1);
  });

  test.each([200, 401, 404, 429])("that get %i are answered", async (status) => {
    const backend = await startBackend(({ response }) => sendJson(response, status, {}));
    const { clock, healthy } = await scene([backend.port], { probeIntervalMs: 10_000 });
    for (let index = 0; index < 5; index++) {
      clock.advance(10_000);
      await backend.visit(index);
      await clock.scheduled(10_000, index + 2);
    }
    expect(healthy()).toEqual([true]);
  });

  test("that two times in a row find nobody eject a backend that nobody uses", async () => {
    const backend = await startBackend();
    const { clock, healthy } = await scene([backend.port], { probeIntervalMs: 10_000 });
    await backend.stop();
    clock.advance(10_000);
    await clock.scheduled(10_000, 2);
    expect(healthy()).toEqual([true]);
    clock.advance(10_000);
    await until(() => healthy()[0] === false);
  });

  test("that fail now and then, with good ones between them, eject nobody", async () => {
    const backend = await startBackend(({ request, response }, index) => {
      if (index % 2 === 0) request.socket.destroy();
      else sendJson(response, 200, {});
    });
    const { clock, healthy } = await scene([backend.port], { probeIntervalMs: 10_000 });
    for (let index = 0; index < 8; index++) {
      clock.advance(10_000);
      await backend.visit(index);
      await clock.scheduled(10_000, index + 2);
      expect(healthy()).toEqual([true]);
    }
  });

  test("that take too long are not held against a busy backend", async () => {
    const backend = await startBackend(hold);
    const { clock, healthy } = await scene([backend.port], { probeIntervalMs: 10_000 });
    for (let index = 0; index < 5; index++) {
      clock.advance(10_000);
      await backend.visit(index);
      clock.advance(5_000);
      await until(() => backend.connections === 0);
      await clock.scheduled(10_000, index + 2);
    }
    expect(healthy()).toEqual([true]);
  });

  test("that are under way when the gate stops leave nothing behind", async () => {
    const backend = await startBackend(({ request, response }) => {
      if (request.url !== "/health") sendJson(response, 200, {});
    });
    const { gate, clock, ask } = await scene([backend.port], { probeIntervalMs: 10_000 });
    await ask();
    clock.advance(10_000);
    await backend.visit(1);
    await gate.gateway.close();
    await until(() => backend.connections === 0);
    await turns();
    expect(backend.accepted).toBe(1);
    await until(() => clock.pending === 0);
  });

  test("of one backend are not put off by others that come and go", async () => {
    const [flapping, gone] = [await startBackend(), await startBackend()];
    const { clock, ask, healthy } = await scene([flapping.port, gone.port]);
    await gone.stop();
    await ask(2);
    expect(healthy()).toEqual([true, false]);
    await gone.restart();
    clock.advance(700);
    await flapping.stop();
    await ask();
    expect(healthy()).toEqual([false, false]);
    clock.advance(300);
    await until(() => healthy()[1] === true);
    expect(gone.visits.map(({ request }) => request.url)).toEqual(["/health"]);
  });
});
