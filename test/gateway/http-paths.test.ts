/** However a path is spelled, what it reaches decides whether it takes a seat. */
import { describe, expect, test } from "vitest";

import { sendJson, startBackend } from "./support/raw-backend.ts";
import { errorOf, until } from "./support/raw-client.ts";
import { CHAT, startGate, startSimpleGate } from "./support/raw-gate.ts";

const INFERENCE = [
  "/v1/chat/completions",
  "//v1//chat/completions",
  "/v1/chat/completions/",
  "/v1/chat/completions//",
  "/v1/chat/completions?stream=1",
  "/v1/chat/completions#x",
  "/v1/%63hat/completions",
  "/v1/%2563hat/completions",
  "/v1%2Fchat%2fcompletions",
  "/V1/Chat/COMPLETIONS",
  "/./v1/./chat/completions/.",
  "/x/../v1/chat/completions",
  "/tokenize/../v1/chat/completions",
  "/v1/models/..%2fchat/completions",
  "/v1/models/%2e%2e/chat/completions",
  "/v1\\chat\\completions",
  "http://gate/v1/chat/completions",
  "HTTP://gate:80//v1/chat/completions",
];

/** Not on the list of inference paths; whoever knows what a backend makes of them? */
const UNKNOWN = [
  "/v1/chat/completions;x=1",
  "/v1/chat/completions%00",
  "/v1/chat/completions%3Fx",
  "/v1/chat/completions%",
  "/v1/chat/completions%zz",
  "/v2/chat/completions",
  "/v1/engines/x/completions",
  "/openai/deployments/x/chat/completions",
  "/v1/models",
  "/",
];

async function refusedWhileFull(target: string): Promise<string> {
  const backend = await startBackend(() => {});
  const gate = await startSimpleGate([backend.port], { maxConcurrent: 1, queue: undefined });
  const [holder, client] = [await gate.connect(), await gate.connect()];
  holder.post("/v1/chat/completions", CHAT);
  await backend.visit(0);
  client.post(target, CHAT);
  const answer = await client.answer();
  expect(backend.visits).toHaveLength(1);
  expect(answer.status).toBe(503);
  return errorOf(answer).code;
}

describe("a POST takes a seat", () => {
  test.each(INFERENCE)("on the inference path %s", async (target) => {
    expect(await refusedWhileFull(target)).toBe("server_is_overloaded");
  });

  test.each(UNKNOWN)("on the unknown path %s", async (target) => {
    expect(await refusedWhileFull(target)).toBe("server_is_overloaded");
  });
});

describe("the body of an inference request", () => {
  test.each(INFERENCE)("is read by the gate on %s", async (target) => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post(target, "{bad");
    const answer = await client.answer();
    expect(answer.status).toBe(400);
    expect(errorOf(answer).code).toBe("invalid_request");
    expect(backend.visits).toHaveLength(0);
  });

  test("may be anything on a path that the gate does not know", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/audio/transcriptions", "--x\r\nnot JSON", "Content-Type: multipart/form-data; boundary=x");
    expect((await client.answer()).status).toBe(200);
    expect((await backend.visit()).body.toString()).toBe("--x\r\nnot JSON");
  });

  test("reaches the backend byte for byte, as does the path", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    const body = ' {"messages" :[], "n":1.0,"max_tokens": 1e2,\n"x":"\\u00e9\u00e9"}\r\n';
    client.post("//v1/%63hat/completions/?a=%20&b", body);
    expect((await client.answer()).status).toBe(200);
    const visit = await backend.visit();
    expect(visit.request.url).toBe("//v1/%63hat/completions/?a=%20&b");
    expect(visit.body.toString()).toBe(body);
  });
});

test.each([
  ["GET", "/v1/chat/completions"],
  ["GET", "/slots"],
  ["HEAD", "/v1/models"],
  ["OPTIONS", "/v1/chat/completions"],
  ["DELETE", "/v1/responses/r1"],
  ["POST", "/tokenize"],
  ["POST", "//Tokenize/"],
  ["POST", "/v1/messages/count_tokens"],
])("%s %s takes no seat", async (method, path) => {
  const backend = await startBackend((visit, index) => {
    if (index > 0) sendJson(visit.response, 200, {});
  });
  const gate = await startSimpleGate([backend.port], { maxConcurrent: 1, queue: undefined });
  const [holder, client] = [await gate.connect(), await gate.connect()];
  holder.post("/v1/chat/completions", CHAT);
  await backend.visit(0);
  client.head(`${method} ${path} HTTP/1.1`, "Host: gate", "Content-Length: 0");
  expect((await client.answer()).status).toBe(200);
  expect(gate.gateway.stats()).toMatchObject({ in_flight: 1, admitted: 1 });
});

test.each(["/proxy/stats", "//proxy/stats/", "/PROXY/stats?x", "/%70roxy/stats", "/x/../proxy/stats"])(
  "GET %s is the gate's own page",
  async (target) => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.get(target);
    const answer = await client.answer();
    expect(JSON.parse(answer.body)).toMatchObject({ state: "serving", seats: 4 });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(backend.visits).toHaveLength(0);
  },
);

test("the model decides the deployment, and names from Object's prototype are unknown like any other", async () => {
  const [one, two] = [await startBackend(), await startBackend()];
  const gate = await startGate({
    deployments: [
      { models: ["one"], backends: [one.port] },
      { models: ["two", "zwei"], backends: [two.port] },
    ],
  });
  const client = await gate.connect();
  for (const model of ["one", "two", "zwei"]) client.post("/v1/chat/completions", { ...CHAT, model });
  for (const model of ["__proto__", "constructor", "toString", "", "ONE"]) client.post("/v1/completions", { model });
  for (const index of [0, 1, 2]) expect((await client.answer(index)).status).toBe(200);
  for (const index of [3, 4, 5, 6, 7]) {
    const answer = await client.answer(index);
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatchObject({ code: "model_not_found", param: "model" });
  }
  expect([one.visits.length, two.visits.length]).toEqual([1, 2]);
  client.post("/v1/completions", { prompt: "whose?" });
  expect(errorOf(await client.answer(8))).toMatchObject({ code: "invalid_request", param: "model" });
});

test("JSON keys that name prototypes are harmless, and travel on", async () => {
  const backend = await startBackend();
  const gate = await startSimpleGate([backend.port], { maxInflightTokens: 10_000 });
  const client = await gate.connect();
  const body = '{"__proto__":{"model":"x","max_tokens":9},"constructor":{"prototype":{"polluted":1}},"messages":[]}';
  client.post("/v1/chat/completions", body);
  expect((await client.answer()).status).toBe(200);
  expect((await backend.visit()).body.toString()).toBe(body);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("a name that a client chose cannot write control characters into an answer", async () => {
  const gate = await startGate({ deployments: [{ models: ["one"], backends: [1] }] });
  const client = await gate.connect();
  client.post("/v1/chat/completions", { ...CHAT, model: "\u001b[31m\u0000\r\nx\u202e\ud800" });
  const answer = await client.answer();
  expect(answer.status).toBe(404);
  // oxlint-disable-next-line no-control-regex -- they are what must not be there
  expect(errorOf(answer).message).not.toMatch(/[\u0000-\u001f\u202e]/);
  await until(() => gate.gateway.stats().open === 0);
  expect(gate.lines).toEqual([]);
});
