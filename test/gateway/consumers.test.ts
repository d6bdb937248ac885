/** Who gets how much, over real sockets. */
import { createHash } from "node:crypto";

import { describe, expect, test } from "vitest";

import type { ConsumerConfig } from "../../src/config/index.ts";
import type { Limits } from "../../src/core/policy/limits.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { hold, sendJson, startBackend } from "./support/raw-backend.ts";
import { errorOf, type RawClient, turns, until } from "./support/raw-client.ts";
import { CHAT, type GateSetup, startGate, type TestGate } from "./support/raw-gate.ts";

const PATH = "/v1/chat/completions";

function consumer(name: string, more: Partial<ConsumerConfig> = {}): ConsumerConfig {
  const sha256 = createHash("sha256").update(`key of ${name}`).digest("hex");
  return { name, kind: "user", enabled: true, groups: [], keys: [{ sha256 }], ...more };
}

function limits(values: Limits["values"], strict?: boolean): Limits {
  return { values, strict };
}

function asking(client: RawClient, name: string, body: unknown = CHAT, path: string = PATH): RawClient {
  return client.post(path, body, `Authorization: Bearer key of ${name}`);
}

async function ask(gate: TestGate, name: string, body: unknown = CHAT): Promise<RawClient> {
  return asking(await gate.connect(), name, body);
}

const TWO: Pick<GateSetup, "consumers"> = { consumers: [consumer("ann"), consumer("bob")] };

describe("where there are consumers", () => {
  test("nobody without a key gets in, and their body is not waited for", async () => {
    const backend = await startBackend();
    const gate = await startGate({ ...TWO, deployments: [{ backends: [backend.port] }] });
    const client = await gate.connect();
    client.head(`POST ${PATH} HTTP/1.1`, "Host: gate", "Content-Length: 1000");
    const answer = await client.answer();
    expect([answer.status, errorOf(answer).code]).toEqual([401, "invalid_api_key"]);
    expect(backend.visits).toHaveLength(0);
  });

  test("a key opens the gate under any of its three headers, and stays here", async () => {
    const backend = await startBackend();
    const gate = await startGate({ ...TWO, deployments: [{ backends: [backend.port] }] });
    for (const header of ["authorization: bearer ", "x-api-key: ", "api-key: "]) {
      const client = (await gate.connect()).post(PATH, CHAT, `${header}key of ann`);
      expect((await client.answer()).status).toBe(200);
    }
    for (const { request } of backend.visits) expect(JSON.stringify(request.rawHeaders)).not.toContain("key of ann");
  });

  test("statistics show a caller its own row and nobody else's", async () => {
    const backend = await startBackend();
    const gate = await startGate({
      ...TWO,
      deployments: [{ name: "d", backends: [backend.port], limits: limits({ requests_per_minute: 60 }) }],
    });
    await (await ask(gate, "ann")).answer();
    await (await ask(gate, "bob")).answer();
    const client = await gate.connect();
    client.head("GET /proxy/stats HTTP/1.1", "Host: gate", "Authorization: Bearer key of ann");
    const text = (await client.answer()).body;
    expect(text).not.toContain("bob");
    expect(JSON.parse(text)).toMatchObject({
      consumer: "ann",
      deployments: { d: { admitted: 1, limits: [{ name: "requests_per_minute", limit: 60 }] } },
    });
    const nobody = (await gate.connect()).head("GET /proxy/stats HTTP/1.1", "Host: gate");
    expect((await nobody.answer()).status).toBe(401);
  });

  test("a deployment that a consumer may not use answers 403", async () => {
    const backend = await startBackend();
    const gate = await startGate({
      consumers: [
        consumer("team", { kind: "group", keys: [] }),
        consumer("ann", { groups: ["team"] }),
        consumer("bob"),
      ],
      deployments: [{ backends: [backend.port], allowed: new Set(["team"]) }],
    });
    expect((await (await ask(gate, "ann")).answer()).status).toBe(200);
    const refused = await (await ask(gate, "bob")).answer();
    expect([refused.status, errorOf(refused).code]).toEqual([403, "model_not_allowed"]);
  });

  test("models that a consumer may not use are not listed to it", async () => {
    const backend = await startBackend(({ response }) => sendJson(response, 200, { data: [] }));
    const gate = await startGate({
      ...TWO,
      deployments: [
        { name: "one", models: ["big"], backends: [backend.port], allowed: new Set(["ann"]) },
        { name: "two", models: ["small"], backends: [backend.port] },
      ],
    });
    const listed = async (name: string): Promise<string[]> => {
      const client = await gate.connect();
      client.head("GET /v1/models HTTP/1.1", "Host: gate", `x-api-key: key of ${name}`);
      const list = JSON.parse((await client.answer()).body) as { data: { id: string }[] };
      return list.data.map(({ id }) => id);
    };
    expect([await listed("ann"), await listed("bob")]).toEqual([["big", "small"], ["small"]]);
    const unknown = await (await ask(gate, "bob", { ...CHAT, model: "huge" })).answer();
    expect([unknown.status, errorOf(unknown).message]).toEqual([404, expect.stringContaining("It serves small.")]);
  });
});

describe("limits", () => {
  test("a refusal names the rule, the limit and the time, and a retry at that time is admitted", async () => {
    const backend = await startBackend();
    const clock = new VirtualClock();
    const gate = await startGate({
      ...TWO,
      clock,
      deployments: [{ backends: [backend.port], limits: limits({ requests_per_minute: 6 }) }],
    });
    const client = await gate.connect();
    expect((await asking(client, "ann").answer(0)).headers.get("x-ratelimit-limit-requests")).toBe("6");
    const refused = await asking(client, "ann").answer(1);
    expect([refused.status, errorOf(refused).code]).toEqual([429, "rate_limit_exceeded"]);
    expect(errorOf(refused).message).toMatch(/limit of 6 requests per minute.*Please try again in 10s\./);
    expect(refused.headers.get("retry-after")).toBe("10");
    expect(refused.headers.get("ratelimit-policy")).toBe('"requests_per_minute";q=6;w=60');
    expect((await asking(client, "bob").answer(2)).status).toBe(200);
    clock.advance(Number(refused.headers.get("retry-after-ms")));
    expect((await asking(client, "ann").answer(3)).status).toBe(200);
  });

  test("an input that is too long is told so, in the words that clients look for", async () => {
    const backend = await startBackend();
    const gate = await startGate({
      ...TWO,
      deployments: [{ backends: [backend.port], limits: limits({ input_tokens: 10 }) }],
    });
    const refused = await (await ask(gate, "ann", { model: "m", prompt: "word ".repeat(100) })).answer();
    expect([refused.status, errorOf(refused).code]).toEqual([400, "context_length_exceeded"]);
    expect(errorOf(refused).message).toContain("maximum context length is 10 tokens");
  });

  test("a limit of 0 blocks, and says nothing of a time when it would not", async () => {
    const backend = await startBackend();
    const gate = await startGate({
      ...TWO,
      deployments: [{ backends: [backend.port], limits: limits({ requests_per_day: 0 }) }],
    });
    const refused = await (await ask(gate, "ann")).answer();
    expect([refused.status, refused.headers.get("x-should-retry")]).toEqual([429, "false"]);
    for (const name of ["retry-after", "retry-after-ms", "x-ratelimit-reset-requests"]) {
      expect(refused.headers.has(name)).toBe(false);
    }
  });

  test("one consumer's running requests are counted, and no one else's", async () => {
    const backend = await startBackend(hold);
    const gate = await startGate({
      ...TWO,
      deployments: [{ backends: [backend.port], limits: limits({ concurrent_requests: 1 }) }],
    });
    await ask(gate, "ann");
    await until(() => backend.visits.length === 1);
    const refused = await (await ask(gate, "ann")).answer();
    expect([refused.status, errorOf(refused).code]).toEqual([429, "concurrency_limit_exceeded"]);
    await ask(gate, "bob");
    await until(() => backend.visits.length === 2);
    for (const { response } of backend.visits) sendJson(response, 200, {});
    await until(() => gate.gateway.stats().in_flight === 0);
    await ask(gate, "ann");
    await until(() => backend.visits.length === 3);
    sendJson((await backend.visit(2)).response, 200, {});
  });

  test("tokens are charged as the backend reports them", async () => {
    const usage = { prompt_tokens: 40, completion_tokens: 60, total_tokens: 100 };
    const backend = await startBackend(({ response }) => sendJson(response, 200, { choices: [], usage }));
    const gate = await startGate({
      ...TWO,
      clock: new VirtualClock(),
      deployments: [{ backends: [backend.port], limits: limits({ tokens_per_hour: 6_000 }) }],
    });
    const client = await gate.connect();
    for (const index of [0, 1]) await asking(client, "ann").answer(index);
    client.head("GET /proxy/stats HTTP/1.1", "Host: gate", "Authorization: Bearer key of ann");
    const stats: unknown = JSON.parse((await client.answer(2)).body);
    expect(stats).toMatchObject({
      deployments: { "deployment-0": { limits: [{ name: "tokens_per_hour", used: 200 }] } },
    });
  });

  test("a request that a full gate refuses has consumed nothing", async () => {
    const backend = await startBackend(hold);
    const gate = await startGate({
      ...TWO,
      clock: new VirtualClock(),
      deployments: [
        { backends: [backend.port], maxConcurrent: 1, queue: undefined, limits: limits({ requests_per_minute: 12 }) },
      ],
    });
    await ask(gate, "bob");
    await until(() => backend.visits.length === 1);
    for (let count = 0; count < 5; count++) {
      expect((await (await ask(gate, "ann")).answer()).status).toBe(503);
    }
    sendJson((await backend.visit(0)).response, 200, {});
    await until(() => gate.gateway.stats().in_flight === 0);
    for (const index of [1, 2]) {
      const client = await ask(gate, "ann");
      sendJson((await backend.visit(index)).response, 200, {});
      expect((await client.answer()).status).toBe(200);
    }
  });
});

describe("an input that is close to its limit", () => {
  const LIMIT = { limits: limits({ input_tokens: 100 }) };
  /** 80 tokens by the estimate of 4 characters each; 40 or so in truth, since it is one word again and again. */
  const SHORT = { model: "m", prompt: "extraordinary ".repeat(26) };

  test("is counted exactly where there is a tokenizer", async () => {
    const backend = await startBackend();
    const prompt = "a ".repeat(99);
    const deployment = { backends: [backend.port], ...LIMIT };
    const exact = await startGate({ ...TWO, deployments: [{ ...deployment, tokenizer: "o200k" }] });
    // 99 tokens or so, and 50 by the estimate: the other way round a longer text is refused.
    expect((await (await ask(exact, "ann", { model: "m", prompt })).answer()).status).toBe(200);
    const over = { model: "m", prompt: "a ".repeat(140) };
    expect((await (await ask(exact, "ann", over)).answer()).status).toBe(400);
    const estimating = await startGate({ ...TWO, deployments: [deployment] });
    expect((await (await ask(estimating, "ann", over)).answer()).status).toBe(200);
    expect((await (await ask(estimating, "ann", SHORT)).answer()).status).toBe(200);
  });

  test("is counted by the backend where that is configured", async () => {
    const backend = await startBackend(({ request, response }) => {
      sendJson(response, 200, request.url === "/tokenize" ? { count: 101, tokens: [] } : { ok: true });
    });
    const gate = await startGate({
      ...TWO,
      deployments: [{ backends: [backend.port], ...LIMIT, tokenizer: "backend" }],
    });
    const refused = await (await ask(gate, "ann", SHORT)).answer();
    expect([refused.status, errorOf(refused).message]).toEqual([400, expect.stringContaining("has about 101")]);
  });
});

describe("a share of the capacity", () => {
  const CAPACITY = {
    requestsPerMinute: 60,
    tokensPerMinute: undefined,
    utilizationThreshold: 0.5,
    burstSeconds: 1,
    meterSeconds: 0,
  };

  test("is there for who has it reserved, however much the others ask", async () => {
    const backend = await startBackend();
    const gate = await startGate({
      ...TWO,
      clock: new VirtualClock(),
      deployments: [{ backends: [backend.port], capacity: CAPACITY, reservations: new Map([["ann", 0.5]]) }],
    });
    const client = await gate.connect();
    const statuses: number[] = [];
    for (let count = 0; count < 12; count++) statuses.push((await asking(client, "bob").answer(count)).status);
    expect(statuses).toContain(429);
    const last = client.answers.at(-1);
    expect(last && errorOf(last).code).toBe("capacity_reserved");
    const refused = statuses.filter((status) => status === 429).length;
    expect(gate.gateway.stats().refused).toEqual({ capacity_reserved: refused });
    expect((await (await ask(gate, "ann")).answer()).status).toBe(200);
  });

  test("is waited for where that is configured", async () => {
    const backend = await startBackend();
    const clock = new VirtualClock();
    const gate = await startGate({
      ...TWO,
      clock,
      deployments: [{ backends: [backend.port], capacity: CAPACITY, mode: "queue" }],
    });
    const clients = await Promise.all(Array.from({ length: 7 }, () => ask(gate, "ann")));
    await until(() => backend.visits.length > 0);
    await turns();
    const atOnce = backend.visits.length;
    expect(atOnce).toBeLessThan(7);
    for (let second = 0; second < 10; second++) {
      clock.advance(1_000);
      await turns();
    }
    await until(() => clients.every((client) => client.answers.length === 1));
    expect(clients.map((client) => client.answers[0]?.status)).toEqual(clients.map(() => 200));
  });
});
