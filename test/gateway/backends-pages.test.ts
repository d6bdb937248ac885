/** What the gate answers by itself: the list of models, its numbers, and whether it lives. */
import { describe, expect, test } from "vitest";

import { closedPort, hold, type ScriptedBackend, sendJson, startBackend } from "./support/raw-backend.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { turns, until } from "./support/raw-client.ts";
import { CHAT, startGate, startSimpleGate } from "./support/raw-gate.ts";

function listing(...ids: readonly string[]): Promise<ScriptedBackend> {
  return startBackend(({ response, request }) => {
    const data = ids.map((id) => ({ id, object: "model", owned_by: `server of ${ids[0]}` }));
    if (request.method === "GET") sendJson(response, 200, { object: "list", data });
    else sendJson(response, 200, {});
  });
}

describe("GET /v1/models", () => {
  test("of a single backend is its own, byte for byte", async () => {
    const backend = await listing("a", "b");
    const gate = await startSimpleGate([{ port: backend.port, apiKey: "key" }]);
    const client = await gate.connect();
    client.get("/v1/models");
    const answer = await client.answer();
    expect(answer.body).toBe(
      '{"object":"list","data":[{"id":"a","object":"model","owned_by":"server of a"},{"id":"b","object":"model","owned_by":"server of a"}]}',
    );
    expect((await backend.visit()).request.headers.authorization).toBe("Bearer key");
  });

  test("of several is merged, each model once, the first server's first", async () => {
    const [one, two] = [await listing("a", "b"), await listing("b", "c")];
    const gate = await startSimpleGate([{ port: one.port, prefix: "/x" }, two.port]);
    const client = await gate.connect();
    client.get("/v1/models/");
    const { data } = JSON.parse((await client.answer()).body) as { data: { id: string; owned_by: string }[] };
    expect(data.map(({ id, owned_by }) => [id, owned_by])).toEqual([
      ["a", "server of a"],
      ["b", "server of a"],
      ["c", "server of b"],
    ]);
    expect((await one.visit()).request.url).toBe("/x/v1/models");
  });

  test("names what can be asked for: aliases too, and nothing that no deployment takes", async () => {
    const [one, two] = [await listing("one", "hidden"), await listing("two")];
    const gate = await startGate({
      deployments: [
        { models: ["one", "alias"], backends: [one.port] },
        { models: ["two"], backends: [two.port] },
      ],
    });
    const client = await gate.connect();
    client.get("/v1/models");
    const { data } = JSON.parse((await client.answer()).body) as { data: { id: string; owned_by: string }[] };
    expect(data.map(({ id }) => id)).toEqual(["one", "two", "alias"]);
    expect(data.at(-1)).toEqual({ id: "alias", object: "model", created: 0, owned_by: "headgate" });
  });

  test("leaves out backends that fail, talk nonsense, or are ejected", async () => {
    const garbage = await startBackend(({ response }) => void response.end("<html>"));
    const odd = await startBackend(({ response }) =>
      sendJson(response, 200, { data: [null, { id: 7 }, "x", { id: "odd" }] }),
    );
    const broken = await startBackend(({ response }) => response.destroy());
    const refusing = await startBackend(({ response }) => sendJson(response, 401, { data: [{ id: "no" }] }));
    const good = await listing("good");
    const ports = [garbage.port, odd.port, broken.port, refusing.port, good.port, await closedPort()];
    const gate = await startSimpleGate(ports);
    const client = await gate.connect();
    client.get("/v1/models");
    const { data } = JSON.parse((await client.answer()).body) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(["odd", "good"]);
  });

  test("does not wait for a backend for ever", async () => {
    const clock = new VirtualClock();
    const [slow, good] = [await startBackend(hold), await listing("good")];
    const gate = await startSimpleGate([slow.port, good.port], {}, { clock });
    const client = await gate.connect();
    client.get("/v1/models");
    await slow.visit();
    await good.visit();
    await turns();
    clock.advance(5_000);
    const { data } = JSON.parse((await client.answer()).body) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(["good"]);
    await until(() => slow.connections === 0 && clock.pending === 0);
  });

  test("gives up on a list that does not end", async () => {
    const endless = await startBackend(({ response }) => {
      const write = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, " ")));
        if (!response.destroyed) response.once("drain", write);
      };
      write();
    });
    const good = await listing("good");
    const gate = await startSimpleGate([endless.port, good.port]);
    const client = await gate.connect();
    client.get("/v1/models");
    const { data } = JSON.parse((await client.answer()).body) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(["good"]);
    await until(() => endless.connections === 0);
  });

  test("asks each backend once, however many ask for it meanwhile", async () => {
    const [one, two] = [await startBackend(hold), await startBackend(hold)];
    const gate = await startSimpleGate([one.port, two.port]);
    const clients = await Promise.all(Array.from({ length: 10 }, () => gate.connect()));
    for (const client of clients) client.get("/v1/models");
    const visits = [await one.visit(), await two.visit()];
    await turns(200);
    clients[0]?.socket.destroy();
    for (const { response } of visits) sendJson(response, 200, { data: [{ id: "m" }] });
    for (const client of clients.slice(1)) expect((await client.answer()).body).toContain('"m"');
    expect([one.visits.length, two.visits.length]).toEqual([1, 1]);
    // The next one is asked for anew.
    clients[1]?.get("/v1/models");
    sendJson((await one.visit(1)).response, 200, {});
    sendJson((await two.visit(1)).response, 200, { data: [{ id: "n" }] });
    expect((await clients[1]?.answer(1))?.body).toContain('"n"');
  });
});

describe("GET /proxy/stats", () => {
  test("tells seats, queue, members and backends", async () => {
    const backend = await startBackend(hold);
    const clock = new VirtualClock();
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 2 }, { clock, version: "9.9.9" });
    const clients = [await gate.connect(), await gate.connect(), await gate.connect()];
    for (const client of clients) client.post("/v1/chat/completions", CHAT);
    await until(() => gate.gateway.stats().waiting === 1);
    await backend.visit(1);
    clock.advance(12_340);
    const reader = await gate.connect();
    reader.get("/proxy/stats");
    const stats: unknown = JSON.parse((await reader.answer()).body);
    expect(stats).toEqual(gate.gateway.stats());
    expect(stats).toMatchObject({
      version: "9.9.9",
      uptime_seconds: 12.3,
      state: "serving",
      seats: 2,
      in_flight: 2,
      waiting: 1,
      admitted: 2,
      refused: {},
      outcomes: {},
      open: 3,
      buffered_bytes: 3 * JSON.stringify(CHAT).length,
      deployments: {
        "deployment-0": {
          queue_length: 64,
          max_inflight_tokens: null,
          members: [{ name: "127.0.0.1", in_flight: 2, waiting: 1 }],
          backends: [{ healthy: true, in_flight: 2, requests: 2, failures: 0 }],
        },
      },
    });
  });

  test("answers while the gate stops, and says so", async () => {
    const backend = await startBackend(hold);
    const gate = await startSimpleGate([backend.port]);
    const [client, reader] = [await gate.connect(), await gate.connect()];
    client.post("/v1/chat/completions", CHAT);
    const { response } = await backend.visit();
    // A request of its own has to be under way, or the gate closes the idle connection.
    reader.send("GET /proxy/stats HTTP/1.1\r\nHost: gate\r\n");
    await turns();
    const stopped = gate.gateway.drain(60_000);
    reader.head("");
    await until(() => reader.text.includes('"state": "draining"') || reader.closed);
    sendJson(response, 200, {});
    await client.answer();
    await stopped;
  });
});

describe("health", () => {
  test("/healthz says that the gate lives, whatever its backends do", async () => {
    const gate = await startSimpleGate([await closedPort()]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT).get("/healthz");
    expect((await client.answer(0)).status).toBe(502);
    expect(await client.answer(1)).toMatchObject({ status: 200, body: '{\n  "status": "ok"\n}\n' });
  });

  test("/readyz needs a healthy backend of every deployment", async () => {
    const [one, two] = [await startBackend(), await startBackend()];
    const clock = new VirtualClock();
    const gate = await startGate({
      clock,
      deployments: [
        { models: ["one"], backends: [one.port, await closedPort()] },
        { models: ["two"], backends: [two.port] },
      ],
    });
    const client = await gate.connect();
    client.get("/readyz");
    expect((await client.answer(0)).status).toBe(200);
    await two.stop();
    client.post("/v1/chat/completions", { ...CHAT, model: "two" }).get("/readyz");
    expect((await client.answer(1)).status).toBe(502);
    expect(await client.answer(2)).toMatchObject({ status: 503, body: '{\n  "status": "not ready"\n}\n' });
    await two.restart();
    clock.advance(1_000);
    await until(() => gate.gateway.stats().seats === 8);
    client.get("/readyz");
    expect((await client.answer(3)).status).toBe(200);
  });

  test("the gate's own pages are only read, and no backend hears of a try", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/proxy/stats", "{}");
    const answer = await client.answer();
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(backend.visits).toHaveLength(0);
  });
});
