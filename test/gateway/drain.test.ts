/** What becomes of whom when the gate is told to stop. */
import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { DONE, EVENT, expectNothing, open, rest, withHands } from "./support/storm-hand.ts";

/** More events than the buffers of four sockets hold. */
const FAR_TOO_MANY = 1_200_000;

/** Lets what was written go as far as it goes without a reader: each turn moves a piece of it. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2_000; turn++) await nextTurn();
}

const ONE_SEAT = { deployment: { maxConcurrent: 1 } };

/** A client that speaks HTTP by hand, on a connection that stays open. */
async function dial(port: number): Promise<{ socket: Socket; heard: () => string; closed: Promise<void> }> {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  let text = "";
  socket.on("data", (chunk: string) => (text += chunk));
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  return { socket, heard: () => text, closed };
}

describe("a gate that drains", () => {
  test("takes no more connections, and lets the running request end", async () => {
    await withHands({}, async ({ gateway, port, backend }) => {
      const asked = open(port);
      const stream = await backend.stream();
      const ending = rest(await asked);
      const drained = gateway.drain(60_000);
      expect(gateway.stats()).toMatchObject({ state: "draining", open: 1, in_flight: 1 });
      await expect(open(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
      stream.end(DONE);
      expect(await ending).toEqual({ text: EVENT + DONE, whole: true });
      await drained;
      expect(gateway.stats().outcomes).toEqual({ completed: 1 });
    });
  });

  test("answers the waiting at once, in the words of their API", async () => {
    await withHands(ONE_SEAT, async ({ gateway, port, backend, gate }) => {
      const running = open(port);
      const stream = await backend.stream();
      const waiting = ["/v1/chat/completions", "/v1/messages", "/api/chat"].map((path) => open(port, { path }));
      await gate.when(() => gate.received === 4);
      expect(gateway.stats().waiting).toBe(3);
      const drained = gateway.drain(60_000);
      const refusals = await Promise.all(waiting);
      expect(gateway.stats()).toMatchObject({ in_flight: 1, waiting: 0, refused: { draining: 3 } });
      for (const refusal of refusals) {
        expect(refusal.statusCode).toBe(503);
        expect(refusal.headers).toMatchObject({ "x-headgate-outcome": "draining", "retry-after": "1" });
      }
      const bodies = await Promise.all(refusals.map(rest));
      expect(bodies.map(({ text }): unknown => JSON.parse(text))).toMatchObject([
        { error: { type: "service_unavailable_error", code: "shutting_down" } },
        { type: "error", error: { type: "overloaded_error" } },
        { error: expect.stringContaining("shutting down") },
      ]);
      stream.end(DONE);
      expect((await rest(await running)).whole).toBe(true);
      await drained;
    });
  });

  test("waits for a client that reads slowly, to the last byte", async () => {
    await withHands({}, async ({ gateway, port, backend, gate }) => {
      const asked = open(port);
      const stream = await backend.stream();
      const answer = await asked;
      const drained = gateway.drain(60_000);
      stream.write(EVENT.repeat(FAR_TOO_MANY - 1));
      stream.end(DONE);
      await settle();
      expect(gate.open).toBe(1);
      const { text, whole } = await rest(answer);
      expect(whole).toBe(true);
      expect(text.length).toBe(FAR_TOO_MANY * EVENT.length + DONE.length);
      expect(text.endsWith(EVENT + DONE)).toBe(true);
      await drained;
      expect(gateway.stats().outcomes).toEqual({ completed: 1 });
    });
  });

  test("closes idle connections at once, and the others after their answer", async () => {
    await withHands({}, async ({ gateway, port, backend }) => {
      const silent = await dial(port);
      const used = await dial(port);
      used.socket.write("GET /healthz HTTP/1.1\r\nhost: gate\r\n\r\n");
      await new Promise((resolve) => used.socket.once("data", resolve));
      const late = await dial(port);
      late.socket.write("POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\n");
      const asked = open(port);
      const stream = await backend.stream();
      const drained = gateway.drain(60_000);
      await used.closed;
      late.socket.write("content-length: 2\r\n\r\n{}");
      await late.closed;
      expect(late.heard()).toMatch(/^HTTP\/1.1 503 .*\r\nconnection: close\r\n.*"code":"shutting_down"/is);
      stream.end(DONE);
      await rest(await asked);
      await drained;
      // One that never asked for anything may be about to.
      await silent.closed;
      expect(silent.heard()).toBe("");
    });
  });

  test("gives the seat of a running request to nobody", async () => {
    await withHands(ONE_SEAT, async ({ gateway, port, backend, gate, behind }) => {
      const running = open(port);
      const stream = await backend.stream();
      const waiting = open(port);
      await gate.when(() => gate.received === 2);
      const drained = gateway.drain(60_000);
      stream.end(DONE);
      await Promise.all([rest(await running), rest(await waiting), drained]);
      expect(behind.requests).toBe(1);
      expect(gateway.stats().outcomes).toEqual({ completed: 1, draining: 1 });
    });
  });

  test("waits also for the answer of a client that has left, where that is read to its end", async () => {
    const backends = [{ onClientDisconnect: "drain" as const }];
    await withHands({ backends }, async ({ gateway, port, backend, gate, behind }) => {
      const asked = open(port);
      const stream = await backend.stream();
      (await asked).destroy();
      await gate.when(() => gate.open === 0);
      const drained = gateway.drain(60_000);
      expect(gateway.stats()).toMatchObject({ open: 1, in_flight: 1, outcomes: { client_closed: 1 } });
      stream.end(DONE);
      await drained;
      expect(behind.open).toBe(0);
    });
  });

  test("again, and once more, stops once", async () => {
    await withHands({}, async ({ gateway }) => {
      const first = gateway.drain(60_000);
      expect(gateway.drain(1)).toBe(first);
      await first;
      await gateway.close();
      expectNothing(gateway);
    });
  });
});

describe("when the time of a drain is over", () => {
  test("a stream is cut with an error event, and no mark of a good end", async () => {
    await withHands({}, async ({ clock, gateway, port, backend, behind }) => {
      const asked = open(port);
      await backend.stream();
      const ending = rest(await asked);
      const drained = gateway.drain(5_000);
      clock.advance(4_999);
      expect(gateway.stats().in_flight).toBe(1);
      clock.advance(1);
      const { text, whole } = await ending;
      expect(whole).toBe(true);
      expect(text.startsWith(EVENT)).toBe(true);
      expect(JSON.parse(text.slice(EVENT.length + "data: ".length))).toMatchObject({
        error: { code: "shutting_down", message: expect.stringContaining("stopped before the answer was complete") },
      });
      await drained;
      expect(behind.open).toBe(0);
      expect(gateway.stats().outcomes).toEqual({ draining: 1 });
    });
  });

  test("a stream for Anthropic's clients is cut with their error event", async () => {
    await withHands({}, async ({ clock, gateway, port, backend }) => {
      const asked = open(port, { path: "/v1/messages" });
      await backend.stream();
      const ending = rest(await asked);
      const drained = gateway.drain(5_000);
      clock.advance(5_000);
      expect((await ending).text).toMatch(/\n\nevent: error\ndata: \{"type":"error","error":\{.*\n\n$/);
      await drained;
    });
  });

  test("a request without an answer yet gets 503, and anything but a stream is cut off", async () => {
    await withHands({}, async ({ clock, gateway, port, backend }) => {
      const silent = open(port);
      await backend.next();
      const asked = open(port);
      const whole = await backend.next();
      whole.writeHead(200, { "content-type": "application/json", "content-length": 100 });
      whole.write('{"id":');
      const cut = rest(await asked);
      const drained = gateway.drain(5_000);
      clock.advance(5_000);
      expect(await cut).toEqual({ text: '{"id":', whole: false });
      const refusal = await silent;
      expect(refusal.statusCode).toBe(503);
      expect((await rest(refusal)).text).toContain('"code":"shutting_down"');
      await drained;
      expect(gateway.stats().outcomes).toEqual({ draining: 2 });
    });
  });

  test("a client that does not read loses its connection within a second", async () => {
    await withHands({}, async ({ clock, gateway, port, backend, gate }) => {
      const asked = open(port);
      const stream = await backend.stream();
      const answer = await asked;
      stream.write(EVENT.repeat(FAR_TOO_MANY));
      await settle();
      const drained = gateway.drain(5_000);
      clock.advance(5_000);
      await new Promise((resolve) => stream.once("close", resolve));
      clock.advance(1_000);
      await drained;
      expect(gate.open).toBe(0);
      expect((await rest(answer)).whole).toBe(false);
    });
  });

  test("a body that is still coming is not kept", async () => {
    await withHands({}, async ({ clock, gateway, port, gate }) => {
      const { socket, heard, closed } = await dial(port);
      const head = "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\ncontent-length: 20\r\n\r\n";
      socket.write(`${head}{"messages"`);
      await gate.when(() => gate.requests === 1);
      const drained = gateway.drain(5_000);
      clock.advance(5_000);
      socket.write(':"hello"}');
      await closed;
      expect(heard()).toMatch(/^HTTP\/1.1 503 /);
      await drained;
      expectNothing(gateway);
      expect(gateway.stats().outcomes).toEqual({ draining: 1 });
    });
  });
});

describe("closing", () => {
  test("ends everything without any time passing", async () => {
    await withHands(ONE_SEAT, async ({ gateway, port, backend, gate, behind }) => {
      const running = open(port);
      await backend.stream();
      const ending = rest(await running);
      const waiting = open(port);
      await gate.when(() => gate.received === 2);
      await gateway.close();
      expect((await ending).text).toContain('"code":"shutting_down"');
      expect((await waiting).statusCode).toBe(503);
      expect([gate.sockets, behind.open]).toEqual([0, 0]);
      expectNothing(gateway);
    });
  });

  test("ends a drain that is under way", async () => {
    await withHands({}, async ({ gateway, port, backend }) => {
      const running = open(port);
      await backend.stream();
      const ending = rest(await running);
      const drained = gateway.drain(60_000);
      await gateway.close();
      await drained;
      expect((await ending).text).toContain('"code":"shutting_down"');
    });
  });

  test("ends an answer that is only read for a client that has left", async () => {
    const backends = [{ onClientDisconnect: "drain" as const }];
    await withHands({ backends }, async ({ gateway, port, backend, gate, behind }) => {
      const asked = open(port);
      await backend.stream();
      (await asked).destroy();
      await gate.when(() => gate.open === 0);
      await gateway.close();
      await behind.when(() => behind.open === 0);
      expectNothing(gateway);
    });
  });

  test("is possible before listening", async () => {
    await withHands({}, async ({ gateway }) => {
      await gateway.close();
      await gateway.close();
    });
  });
});
