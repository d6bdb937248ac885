/** What another configuration changes while the gate runs, and what it leaves alone. */
import { expect, test } from "vitest";

import { answerOk, hold, sendJson, startBackend } from "./support/raw-backend.ts";
import { turns, until } from "./support/raw-client.ts";
import { CHAT, configOf, type DeploymentSetup, startSimpleGate, type TestGate } from "./support/raw-gate.ts";

const PATH = "/v1/chat/completions";

function apply(gate: TestGate, ...deployments: readonly DeploymentSetup[]): void {
  gate.gateway.reconfigure(configOf({ deployments }));
}

test("more seats let those in who wait, fewer let those end who are in", async () => {
  const backend = await startBackend(hold);
  const gate = await startSimpleGate([backend.port], { maxConcurrent: 1 });
  const clients = await Promise.all([1, 2, 3, 4].map(() => gate.connect()));
  for (const client of clients) client.post(PATH, CHAT);
  await until(() => gate.gateway.stats().waiting === 3);
  apply(gate, { backends: [backend.port], maxConcurrent: 3 });
  expect(gate.gateway.stats()).toMatchObject({ seats: 3, in_flight: 3, waiting: 1 });
  apply(gate, { backends: [backend.port], maxConcurrent: 1 });
  await backend.visit(2);
  for (const index of [0, 1]) sendJson((await backend.visit(index)).response, 200, {});
  await until(() => gate.gateway.stats().in_flight === 1);
  await turns();
  expect(gate.gateway.stats()).toMatchObject({ seats: 1, in_flight: 1, waiting: 1, refused: {} });
  sendJson((await backend.visit(2)).response, 200, {});
  sendJson((await backend.visit(3)).response, 200, {});
  await until(() => clients.every((client) => client.answers.length === 1));
});

test("a backend that is taken out finishes what it has, counts until then, and gets nothing more", async () => {
  const [old, next] = [await startBackend(hold), await startBackend(answerOk)];
  const gate = await startSimpleGate([old.port], { maxConcurrent: 2 });
  const slow = (await gate.connect()).post(PATH, CHAT);
  const { response } = await old.visit(0);
  apply(gate, { backends: [next.port], maxConcurrent: 2 });
  const quick = (await gate.connect()).post(PATH, CHAT);
  expect((await quick.answer()).status).toBe(200);
  expect([old.visits.length, next.visits.length]).toEqual([1, 1]);
  sendJson(response, 200, {});
  expect((await slow.answer()).status).toBe(200);
  await until(() => old.connections === 0);
});

test("a deployment that is gone refuses who waits there, and lets the others end", async () => {
  const backend = await startBackend(hold);
  const gate = await startSimpleGate([backend.port], { name: "old", maxConcurrent: 1 });
  const running = (await gate.connect()).post(PATH, CHAT);
  const { response } = await backend.visit(0);
  const waiting = (await gate.connect()).post(PATH, CHAT);
  await until(() => gate.gateway.stats().waiting === 1);
  apply(gate, { name: "new", backends: [backend.port] });
  const names = (): string[] => Object.keys(gate.gateway.stats().deployments);
  expect(names()).toEqual(["new", "old (leaving)"]);
  const refused = await waiting.answer();
  expect([refused.status, refused.headers.get("x-headgate-outcome")]).toEqual([503, "draining"]);
  sendJson(response, 200, {});
  expect((await running.answer()).status).toBe(200);
  await until(() => names().length === 1);
  const later = (await gate.connect()).post(PATH, CHAT);
  sendJson((await backend.visit(1)).response, 200, {});
  expect((await later.answer()).status).toBe(200);
});

test("a deployment that is renamed, gone and back never has more at its backend than its seats", async () => {
  const backend = await startBackend(hold);
  const gate = await startSimpleGate([backend.port], { name: "a", maxConcurrent: 1 });
  const clients = await Promise.all([1, 2, 3].map(() => gate.connect()));
  clients[0]?.post(PATH, CHAT);
  await backend.visit(0);
  for (const name of ["b", "a", "b"]) apply(gate, { name, backends: [backend.port], maxConcurrent: 1 });
  clients[1]?.post(PATH, CHAT);
  clients[2]?.post(PATH, CHAT);
  await until(() => gate.gateway.stats().waiting === 2);
  await turns();
  expect(backend.visits).toHaveLength(1);
  for (const index of [0, 1, 2]) {
    sendJson((await backend.visit(index)).response, 200, {});
    await until(() => clients[index]?.answers.length === 1);
    expect(backend.visits.length).toBeLessThanOrEqual(index + 2);
  }
});

test("a backend that is taken out and put back is the one that it was", async () => {
  const [one, two] = [await startBackend(hold), await startBackend(hold)];
  const gate = await startSimpleGate([{ port: one.port, maxConcurrent: 1 }], { maxConcurrent: 1 });
  const running = (await gate.connect()).post(PATH, CHAT);
  const { response } = await one.visit(0);
  apply(gate, { backends: [two.port], maxConcurrent: 1 });
  apply(gate, { backends: [one.port], maxConcurrent: 1 });
  const next = (await gate.connect()).post(PATH, CHAT);
  await until(() => gate.gateway.stats().waiting === 1);
  await turns();
  expect([one.visits.length, two.visits.length]).toEqual([1, 0]);
  sendJson(response, 200, {});
  sendJson((await one.visit(1)).response, 200, {});
  for (const client of [running, next]) expect((await client.answer()).status).toBe(200);
});

test("model names move to where the new configuration has them", async () => {
  const [one, two] = [await startBackend(), await startBackend()];
  const gate = await startSimpleGate([one.port], { name: "one", models: ["a"] });
  apply(
    gate,
    { name: "one", models: ["b"], backends: [one.port] },
    { name: "two", models: ["a"], backends: [two.port] },
  );
  const client = (await gate.connect()).post(PATH, { ...CHAT, model: "a" });
  expect((await client.answer()).status).toBe(200);
  expect([one.visits.length, two.visits.length]).toEqual([0, 1]);
});

test("a reload between any two requests loses none and resets no count", async () => {
  const backend = await startBackend();
  const gate = await startSimpleGate([backend.port], { maxConcurrent: 2 });
  const clients = await Promise.all(Array.from({ length: 8 }, () => gate.connect()));
  let asked = 0;
  for (let round = 0; round < 40; round++) {
    for (const client of clients) {
      client.post(PATH, CHAT);
      asked += 1;
      apply(gate, { backends: [backend.port], maxConcurrent: 1 + (asked % 3) });
    }
    await until(() => clients.every((client) => client.answers.length === round + 1));
  }
  expect(clients.flatMap(({ answers }) => answers).every(({ status }) => status === 200)).toBe(true);
  expect(gate.gateway.stats()).toMatchObject({ admitted: asked, outcomes: { completed: asked } });
});
