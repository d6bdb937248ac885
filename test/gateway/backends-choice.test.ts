/** Which backend gets the next request, and how many each may have. */
import { describe, expect, test } from "vitest";

import { hold, sendJson, startBackend } from "./support/raw-backend.ts";
import { type RawClient, errorOf, turns, until } from "./support/raw-client.ts";
import { CHAT, startSimpleGate, type TestGate } from "./support/raw-gate.ts";

async function ask(gate: TestGate, path = "/v1/chat/completions"): Promise<RawClient> {
  const client = await gate.connect();
  return client.post(path, CHAT);
}

describe("the next request", () => {
  test("goes where the least is in flight per seat, and among equals where the least was served", async () => {
    const [small, large] = [await startBackend(hold), await startBackend(hold)];
    const gate = await startSimpleGate(
      [
        { port: small.port, maxConcurrent: 2 },
        { port: large.port, maxConcurrent: 4 },
      ],
      { maxConcurrent: 10 },
    );
    expect(gate.gateway.stats().seats).toBe(6);
    const order: string[] = [];
    for (let count = 1; count <= 6; count++) {
      const before = small.visits.length;
      await ask(gate);
      await until(() => small.visits.length + large.visits.length === count);
      order.push(small.visits.length > before ? "small" : "large");
    }
    expect(order).toEqual(["small", "large", "large", "small", "large", "large"]);

    await ask(gate);
    await until(() => gate.gateway.stats().waiting === 1);
    sendJson((await small.visit(0)).response, 200, {});
    await small.visit(2);
    expect(large.visits).toHaveLength(4);
  });

  test("alternates between idle backends", async () => {
    const [one, two] = [await startBackend(), await startBackend()];
    const gate = await startSimpleGate([one.port, two.port]);
    const client = await gate.connect();
    for (let index = 0; index < 6; index++) {
      client.post("/v1/chat/completions", CHAT);
      await client.answer(index);
    }
    expect([one.visits.length, two.visits.length]).toEqual([3, 3]);
  });

  test("waits while every seat of the deployment is taken, though backends have room", async () => {
    const [one, two] = [await startBackend(hold), await startBackend(hold)];
    const gate = await startSimpleGate([one.port, two.port], { maxConcurrent: 3 });
    for (let count = 0; count < 5; count++) await ask(gate);
    await until(() => one.visits.length + two.visits.length === 3);
    await until(() => gate.gateway.stats().waiting === 2);
    expect(gate.gateway.stats()).toMatchObject({ in_flight: 3, waiting: 2, seats: 3 });
  });

  test("uses idle connections again, the one used last first", async () => {
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port]);
    const clients = [await ask(gate), await ask(gate), await ask(gate)];
    await backend.visit(2);
    for (const { response } of backend.visits) sendJson(response, 200, {});
    for (const client of clients) await client.answer();
    for (let index = 3; index < 8; index++) {
      const client = await ask(gate);
      sendJson((await backend.visit(index)).response, 200, {});
      await client.answer();
    }
    expect(backend.accepted).toBe(3);
    const last = new Set(backend.visits.slice(3).map(({ request }) => request.socket.remotePort));
    expect(last.size).toBe(1);
  });
});

describe("a backend's own cap", () => {
  test("holds while the deployment has seats left", async () => {
    const [one, two] = [await startBackend(hold), await startBackend(hold)];
    const gate = await startSimpleGate(
      [
        { port: one.port, maxConcurrent: 1 },
        { port: two.port, maxConcurrent: 1 },
      ],
      { maxConcurrent: 8 },
    );
    for (let count = 0; count < 4; count++) await ask(gate);
    await until(() => gate.gateway.stats().waiting === 2);
    expect([one.visits.length, two.visits.length]).toEqual([1, 1]);
    expect(gate.gateway.stats().deployments["deployment-0"]?.backends.map((backend) => backend.in_flight)).toEqual([
      1, 1,
    ]);
  });

  test("holds for a request that comes from another backend, too", async () => {
    const busy = await startBackend(hold);
    const other = await startBackend(hold);
    const gate = await startSimpleGate(
      [
        { port: busy.port, maxConcurrent: 1 },
        { port: other.port, maxConcurrent: 1 },
      ],
      { maxConcurrent: 8 },
    );
    const first = await ask(gate);
    const { response } = await busy.visit(0);
    response.writeHead(503, { "content-length": 4 }).flushHeaders();
    response.write("bu");
    await until(() => gate.gateway.stats().deployments["deployment-0"]?.backends[0]?.failures === 1);
    // Meanwhile somebody takes the other backend's only seat.
    await ask(gate);
    await other.visit(0);
    response.end("sy");
    expect((await first.answer()).status).toBe(502);
    expect(other.visits).toHaveLength(1);
    expect(gate.gateway.stats().deployments["deployment-0"]?.backends.map((backend) => backend.in_flight)).toEqual([
      0, 1,
    ]);
  });
});

describe("requests without a seat", () => {
  test("have places of their own, and wait there without holding up the others", async () => {
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1, maxUnseated: 2 });
    for (let count = 0; count < 3; count++) await ask(gate, "/tokenize");
    await until(() => gate.gateway.stats().deployments["deployment-0"]?.unseated.waiting === 1);
    await backend.visit(1);
    await turns();
    expect(backend.visits).toHaveLength(2);
    expect(gate.gateway.stats().deployments["deployment-0"]?.unseated).toEqual({
      places: 2,
      in_flight: 2,
      waiting: 1,
      admitted: 2,
    });

    await ask(gate);
    expect((await backend.visit(2)).request.url).toBe("/v1/chat/completions");
    expect(gate.gateway.stats()).toMatchObject({ in_flight: 1, waiting: 0 });
    sendJson((await backend.visit(0)).response, 200, {});
    expect((await backend.visit(3)).request.url).toBe("/tokenize");
  });

  test("are refused when too many wait", async () => {
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port], { maxUnseated: 1 });
    const clients: RawClient[] = [];
    for (let count = 0; count < 18; count++) clients.push(await ask(gate, "/tokenize"));
    await until(() => clients.some((client) => client.answers.length > 0));
    const refused = clients.filter((client) => client.answers.length > 0);
    expect(refused).toHaveLength(1);
    const answer = await (refused[0] as RawClient).answer();
    expect(answer.status).toBe(503);
    expect(answer.headers.get("ratelimit-policy")).toBe('"concurrency";q=1;qu="concurrent-requests"');
    expect(errorOf(answer).message).toContain("1 places for requests without a seat");
  });

  test("are all refused where there are no places", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port], { maxUnseated: 0 });
    const client = await gate.connect();
    client.get("/slots").post("/v1/chat/completions", CHAT);
    expect((await client.answer(0)).status).toBe(503);
    expect((await client.answer(1)).status).toBe(200);
    expect(backend.visits).toHaveLength(1);
  });
});
