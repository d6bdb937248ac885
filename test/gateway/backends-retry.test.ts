/** When a request is sent again: where nothing can have come of it, or another backend may do better; and once. */
import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { answerOk, closedPort, hold, sendJson, startBackend, startRawBackend } from "./support/raw-backend.ts";
import { errorOf, turns, until } from "./support/raw-client.ts";
import { CHAT, startSimpleGate, type TestGate } from "./support/raw-gate.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function failures({ gateway }: TestGate): number[] {
  return gateway.stats().deployments["deployment-0"]?.backends.map((backend) => backend.failures) ?? [];
}

describe("a connection that is refused", () => {
  test("sends the request to another backend, once", async () => {
    const [dead, good] = [await closedPort(), await startBackend()];
    const gate = await startSimpleGate([dead, good.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    expect((await client.answer()).status).toBe(200);
    expect((await good.visit()).body.toString()).toBe(JSON.stringify(CHAT));
    expect(failures(gate)).toEqual([1, 0]);
    expect(gate.lines.map(({ message }) => message)).toEqual(["backend ejected"]);
  });

  test("is 502 where the other one refuses too, and a third is not asked", async () => {
    const third = await startBackend();
    const gate = await startSimpleGate([await closedPort(), await closedPort(), third.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const answer = await client.answer();
    expect(answer.status).toBe(502);
    expect(errorOf(answer).message).toContain("could not be reached");
    expect(third.visits).toHaveLength(0);
    client.post("/v1/chat/completions", CHAT);
    expect((await client.answer(1)).status).toBe(200);
  });
});

describe("a connection that had been idle", () => {
  test.each(["closed", "reset"])("and is %s when the next request comes is made anew, once", async (how) => {
    const backend = await startRawBackend((peer, index) => {
      void peer.received("first").then(() => peer.send(OK));
      void peer.received("second").then(() => {
        if (index > 0) peer.send(OK);
        else if (how === "closed") peer.socket.end();
        else peer.socket.resetAndDestroy();
      });
    });
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", { prompt: "first" });
    await client.answer(0);
    client.post("/v1/chat/completions", { prompt: "second" });
    expect(await client.answer(1)).toMatchObject({ status: 200, body: "ok" });
    expect(backend.peers).toHaveLength(2);
    expect(failures(gate)).toEqual([0]);
    expect(gate.lines).toEqual([]);
  });

  test("and whose successor breaks as well is 502, or another backend's turn", async () => {
    const bad = await startRawBackend((peer, index) => {
      if (index === 0) void peer.received("first").then(() => peer.send(OK));
      void peer.received("second").then(() => peer.socket.destroy());
    });
    const alone = await startSimpleGate([bad.port]);
    const client = await alone.connect();
    client.post("/v1/chat/completions", { prompt: "first" });
    await client.answer(0);
    client.post("/v1/chat/completions", { prompt: "second" });
    expect((await client.answer(1)).status).toBe(502);
    expect(bad.peers).toHaveLength(2);
    expect(failures(alone)).toEqual([1]);
  });

  test("and breaks after the first byte is not asked again", async () => {
    const backend = await startRawBackend((peer) => {
      void peer.received("first").then(() => peer.send(OK));
      void peer.received("second").then(() => peer.socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal"));
    });
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", { prompt: "first" });
    await client.answer(0);
    client.post("/v1/chat/completions", { prompt: "second" });
    await client.gone();
    expect(client.answers[1]).toMatchObject({ status: 200, body: "hal", complete: false });
    expect(backend.peers).toHaveLength(1);
  });

  test("costs no request, however the backend's closing and the next request cross", async () => {
    const backend = await startRawBackend((peer) => {
      let answered = 0;
      peer.socket.on("data", () => {
        const asked = peer.text.split("}]}").length - 1;
        if (asked === answered) return;
        answered = asked;
        peer.send(OK);
        // Some are closed with the answer, some a moment later.
        if (answered === 2) peer.socket.end();
        else if (backend.peers.length % 3 === 0) setImmediate(() => peer.socket.end());
      });
    });
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    for (let index = 0; index < 60; index++) {
      client.post("/v1/chat/completions", CHAT);
      expect((await client.answer(index)).status).toBe(200);
      if (index % 7 === 0) await turns(index % 5);
    }
    expect(failures(gate)).toEqual([0]);
  });
});

describe("a new connection that breaks before an answer", () => {
  test("sends the request to another backend", async () => {
    const bad = await startRawBackend((peer) => {
      void peer.received("hello").then(() => peer.socket.resetAndDestroy());
    });
    const good = await startBackend();
    const gate = await startSimpleGate([bad.port, good.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    expect((await client.answer()).status).toBe(200);
    expect([bad.peers.length, good.visits.length]).toEqual([1, 1]);
    expect(failures(gate)).toEqual([1, 0]);
  });

  test("is 502 on a POST that takes no seat, since nobody knows what it did", async () => {
    const bad = await startRawBackend((peer) => {
      void peer.received("hello").then(() => peer.socket.destroy());
    });
    const good = await startBackend();
    const gate = await startSimpleGate([bad.port, good.port]);
    const client = await gate.connect();
    client.post("/tokenize", CHAT);
    expect((await client.answer()).status).toBe(502);
    expect(good.visits).toHaveLength(0);
  });
});

describe("a backend that answers", () => {
  test.each([502, 503, 504])("%i before its first byte lets another one try", async (status) => {
    const bad = await startBackend(({ response }) => sendJson(response, status, { error: "busy" }));
    const good = await startBackend();
    const gate = await startSimpleGate([bad.port, good.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    expect(await client.answer()).toMatchObject({ status: 200, body: '{"ok":true}' });
    expect([bad.visits.length, good.visits.length]).toEqual([1, 1]);
    expect(failures(gate)).toEqual([1, 0]);
    expect(gate.gateway.stats().outcomes).toEqual({ completed: 1 });
  });

  test.each([500, 429, 404])("%i is relayed as it is", async (status) => {
    const bad = await startBackend(({ response }) => sendJson(response, status, { error: "no" }));
    const good = await startBackend();
    const gate = await startSimpleGate([bad.port, good.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    expect(await client.answer()).toMatchObject({ status, body: '{"error":"no"}' });
    expect(good.visits).toHaveLength(0);
  });

  test("503 as the second one is relayed, and a third is not asked", async () => {
    const busy = await startBackend(({ response }) => sendJson(response, 503, { error: "first" }));
    const busier = await startBackend(({ response }) => sendJson(response, 503, { error: "second" }));
    const idle = await startBackend();
    const gate = await startSimpleGate([busy.port, busier.port, idle.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    expect(await client.answer()).toMatchObject({ status: 503, body: '{"error":"second"}' });
    expect(idle.visits).toHaveLength(0);
  });

  test("503 alone is relayed as it is", async () => {
    const busy = await startBackend(({ response }) => sendJson(response, 503, { error: "mine" }));
    const gate = await startSimpleGate([busy.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    expect(await client.answer()).toMatchObject({ status: 503, body: '{"error":"mine"}' });
    expect(gate.gateway.stats().outcomes).toEqual({ backend_failed: 1 });
  });

  test("503 and keeps its connection is asked on it again", async () => {
    const busy = await startBackend((visit, index) => {
      if (index === 0) sendJson(visit.response, 503, {});
      else answerOk(visit, index);
    });
    const good = await startBackend();
    const gate = await startSimpleGate([busy.port, good.port]);
    const client = await gate.connect();
    for (let index = 0; index < 3; index++) {
      client.post("/v1/chat/completions", CHAT);
      await client.answer(index);
    }
    expect([busy.visits.length, busy.accepted]).toEqual([2, 1]);
  });

  test("503 with a body that never ends does not hold up the second try", async () => {
    const endless = await startBackend(({ response }) => void response.writeHead(503).write("still "));
    const good = await startBackend();
    const clock = new VirtualClock();
    const gate = await startSimpleGate([endless.port, good.port], {}, { clock });
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    await until(() => failures(gate)[0] === 1);
    await turns();
    expect(good.visits).toHaveLength(0);
    clock.advance(5_000);
    expect((await client.answer()).status).toBe(200);
    expect(endless.connections).toBe(0);
  });
});

test("a client that leaves between two tries is not tried for again", async () => {
  const busy = await startBackend(hold);
  const good = await startBackend();
  const gate = await startSimpleGate([busy.port, good.port]);
  const client = await gate.connect();
  client.post("/v1/chat/completions", CHAT);
  const { response } = await busy.visit();
  response.writeHead(503).write("wait");
  await until(() => failures(gate)[0] === 1);
  client.socket.destroy();
  await until(() => gate.gateway.stats().open === 0);
  expect(good.visits).toHaveLength(0);
  expect(gate.gateway.stats().outcomes).toEqual({ client_closed: 1 });
});
