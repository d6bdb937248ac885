/**
 * Thousands of requests, good, spoiled on purpose and spoiled at random. The gate lives, no backend sees what is not a
 * request, everybody gets an answer or a closed connection, and nothing is left.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { type FuzzCase, fuzzCase, piecesOf } from "./support/raw-fuzz.ts";
import { startBackend } from "./support/raw-backend.ts";
import { type RawClient, turns, until } from "./support/raw-client.ts";
import { CHAT, settled, startSimpleGate, type TestGate } from "./support/raw-gate.ts";

const crashes: Error[] = [];
const onCrash = (error: Error): void => void crashes.push(error);
beforeAll(() => void process.on("uncaughtExceptionMonitor", onCrash));
afterAll(() => void process.off("uncaughtExceptionMonitor", onCrash));

/** Sends one case and waits for what comes of it. */
async function run(gate: TestGate, fuzz: FuzzCase, id: string): Promise<RawClient> {
  const client = await gate.connect({ allowHalfOpen: true });
  for (const piece of piecesOf(fuzz, id)) {
    client.send(piece);
    await turns(1);
  }
  if (fuzz.fate === "served" || fuzz.fate === "refused") {
    await until(() => client.answers[0]?.complete === true || client.ended || client.closed);
  } else {
    await turns(20);
    client.socket.end();
    await until(() => client.ended || client.closed);
  }
  return client;
}

/** What is wrong with what came of a case. */
function problemOf({ fate, what, bytes }: FuzzCase, client: RawClient): string | undefined {
  const [first, ...more] = client.answers.map(({ status }) => status);
  const isKnown = (status: number): boolean => status === 200 || (status >= 400 && status <= 505);
  const isFine = {
    served: first === 200 && more.length === 0,
    refused: first !== undefined && first >= 400,
    unfinished: first === undefined || first === 400,
    whatever: first === undefined || isKnown(first),
  }[fate];
  // Whatever came is whole answers, or nothing.
  if (isFine && more.every(isKnown) && (first !== undefined || client.text === "")) return undefined;
  return `${what}, which is to be ${fate}: ${show(bytes)} -> ${client.text.slice(0, 200)}`;
}

function isObject(body: Buffer): boolean {
  const json: unknown = JSON.parse(body.toString());
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function show(bytes: Buffer): string {
  return JSON.stringify(bytes.toString("latin1").slice(0, 400));
}

test("3,000 requests, of which most are none", { timeout: 120_000 }, async () => {
  const clock = new VirtualClock();
  const seen: { id: string; url: string; body: Buffer }[] = [];
  const backend = await startBackend(({ request, response, body }) => {
    seen.push({ id: String(request.headers["x-case"]), url: request.url ?? "", body });
    response.end("{}");
  });
  const gate = await startSimpleGate([backend.port], { maxConcurrent: 8, maxInflightTokens: 50_000 }, { clock });
  const sent = new Map<string, FuzzCase>();
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fuzzCase, { minLength: 30, maxLength: 30 }), async (cases) => {
      const problems: (string | undefined)[] = await Promise.all(
        cases.map(async (fuzz) => {
          count += 1;
          const id = String(count).padStart(8, "0");
          sent.set(id, fuzz);
          const client = await run(gate, fuzz, id);
          client.socket.destroy();
          return problemOf(fuzz, client);
        }),
      );
      const good = await gate.connect();
      good.post("/v1/chat/completions", CHAT, "X-Case: good");
      expect((await good.answer()).status).toBe(200);
      good.socket.destroy();
      clock.advance(1_000);
      for (const { id, url, body } of seen.splice(0)) {
        const { fate = "whatever", what = "something" } = sent.get(id) ?? {};
        if (fate !== "served" && fate !== "whatever")
          problems.push(`${what} reached the backend: ${url} ${show(body)}`);
        if (url.startsWith("/v1/chat/completions") && !isObject(body)) problems.push(`${url} took ${show(body)}`);
      }
      expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
    }),
    { seed: 20_261_121, numRuns: 100, endOnFailure: true },
  );
  await settled(gate.gateway);
  expect(crashes).toEqual([]);
  expect(gate.gateway.stats().deployments["deployment-0"]?.backends).toMatchObject([{ healthy: true, failures: 0 }]);
  expect(gate.lines).toEqual([]);
  await until(() => clock.pending === 0);
});
