/**
 * Hundreds of answers that no backend should give. The gate lives, the client gets whole answers or a closed connection,
 * and the seat is free again.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { type FuzzAnswer, fuzzAnswer, piecesOf } from "./support/raw-fuzz.ts";
import { type RawPeer, startRawBackend } from "./support/raw-backend.ts";
import { turns, until } from "./support/raw-client.ts";
import { settled, startSimpleGate } from "./support/raw-gate.ts";

const crashes: Error[] = [];
const onCrash = (error: Error): void => void crashes.push(error);
beforeAll(() => void process.on("uncaughtExceptionMonitor", onCrash));
afterAll(() => void process.off("uncaughtExceptionMonitor", onCrash));

async function sendPieces({ socket }: RawPeer, answer: FuzzAnswer): Promise<void> {
  for (const piece of piecesOf(answer)) {
    if (piece.length > 0) socket.write(piece);
    await turns(1);
  }
  if (answer.afterwards === "ends") socket.end();
  else if (answer.afterwards === "resets") socket.resetAndDestroy();
}

test("500 answers that no server should give", { timeout: 120_000 }, async () => {
  const clock = new VirtualClock();
  let next: FuzzAnswer | undefined;
  const backend = await startRawBackend((peer) => {
    let handled = 0;
    peer.socket.on("data", () => {
      const asked = peer.text.split('{"fuzz"').length - 1;
      if (asked === handled) return;
      handled = asked;
      if (next === undefined) peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      else void sendPieces(peer, next);
      next = undefined;
    });
    peer.socket.on("end", () => peer.socket.end());
  });
  const gate = await startSimpleGate([backend.port], { maxConcurrent: 2 }, { clock });
  await fc.assert(
    fc.asyncProperty(
      fuzzAnswer,
      fc.constantFrom("/v1/chat/completions", "/api/chat", "/v1/messages"),
      async (answer, path) => {
        next = answer;
        const client = await gate.connect();
        client.post(path, { fuzz: true });
        await turns(30);
        // Whatever the gate still waits for does not come.
        for (let count = 0; client.answers[0]?.complete !== true && !client.closed && count < 4; count++) {
          clock.advance(60_000);
          await turns(20);
        }
        await until(() => client.answers[0]?.complete === true || client.closed);
        for (const { status } of client.answers) expect(status >= 200 && status < 1_000).toBe(true);
        expect(client.answers.length).toBeLessThanOrEqual(1);
        client.socket.destroy();

        const good = await gate.connect();
        good.post(path, { fuzz: false });
        expect(await good.answer()).toMatchObject({ status: 200, body: "ok" });
        good.socket.destroy();
      },
    ),
    { seed: 20_261_121, numRuns: 500 },
  );
  await settled(gate.gateway);
  expect(crashes).toEqual([]);
  expect(gate.gateway.stats().seats).toBe(2);
  await until(() => clock.pending === 0);
});
