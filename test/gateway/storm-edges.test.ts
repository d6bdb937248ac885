/** Moments that a storm meets once in a thousand runs, each brought about by hand. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";

import { expect, test } from "vitest";

import { DONE, expectNothing, open, rest, withHands } from "./support/storm-hand.ts";

/** Resolves when undici is about to connect somewhere. */
function connecting(): Promise<void> {
  return new Promise((resolve) => {
    const heard = (): void => {
      unsubscribe("undici:client:beforeConnect", heard);
      resolve();
    };
    subscribe("undici:client:beforeConnect", heard);
  });
}

test("a timeout before there is even a connection is answered, and frees the seat", async () => {
  await withHands({}, async ({ clock, gateway, port }) => {
    const begun = connecting();
    const asked = open(port);
    await begun;
    clock.advance(600_000);
    const answer = await asked;
    expect(answer.statusCode).toBe(504);
    expect((await rest(answer)).text).toContain("was silent for 600s");
    expectNothing(gateway);
    expect(gateway.stats().deployments["default"]).toMatchObject({ outcomes: { backend_timeout: 1 } });
  });
});

test("a stop before there is even a connection answers and frees the seat", async () => {
  await withHands({}, async ({ gateway, port, behind }) => {
    const begun = connecting();
    const asked = open(port);
    await begun;
    const closed = gateway.close();
    expect(gateway.stats().in_flight).toBe(0);
    expect((await asked).statusCode).toBe(503);
    await closed;
    expect(behind.requests).toBe(0);
    expectNothing(gateway);
  });
});

test("a request that hangs at an ejected backend takes no seat of the others", async () => {
  const deployment = { maxConcurrent: 4 };
  const backends = [{ maxConcurrent: 2 }, { maxConcurrent: 2 }];
  await withHands({ deployment, backends }, async ({ gateway, port, backends, gate, behind }) => {
    const [first, second] = backends;
    if (first === undefined || second === undefined) throw new Error("two backends");
    const hangs = open(port);
    const hanging = await first.stream();
    first.stopListening();
    const brief = open(port);
    (await second.stream()).end(DONE);
    await rest(await brief);
    const running = [open(port), open(port)];
    const streams = [await second.stream(), await second.stream()];
    expect(gateway.stats().deployments["default"]?.backends).toMatchObject([
      { healthy: false, in_flight: 1 },
      { healthy: true, in_flight: 2 },
    ]);
    for (const stream of streams) stream.end(DONE);
    for (const answer of running) await rest(await answer);
    // Both seats of the healthy backend are free.
    const more = [open(port), open(port)];
    const moreStreams = [await second.stream(), await second.stream()];
    const waiting = open(port);
    await gate.when(() => gate.received === 7);
    hanging.end(DONE);
    expect((await rest(await hangs)).whole).toBe(true);
    // The end of the hanging one frees no seat at the healthy backend.
    expect(gateway.stats()).toMatchObject({ seats: 2, in_flight: 2, waiting: 1 });
    for (const stream of moreStreams) stream.end(DONE);
    (await second.stream()).end(DONE);
    for (const answer of [...more, waiting]) expect((await rest(await answer)).whole).toBe(true);
    expect(gateway.stats().outcomes).toEqual({ completed: 7 });
    expect(behind.maxOpen).toBeLessThanOrEqual(4);
  });
});

test("closing while a probe is under way leaves no connection and no timer behind", async () => {
  await withHands({ probeIntervalMs: 10_000 }, async ({ clock, gateway, port, backend, behind }) => {
    const asked = open(port);
    (await backend.stream()).end(DONE);
    await rest(await asked);
    clock.advance(10_000);
    await backend.next();
    await gateway.close();
    await behind.when(() => behind.sockets === 0);
    expect(clock.pending).toBe(0);
  });
});
