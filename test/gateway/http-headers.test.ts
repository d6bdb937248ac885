/** What travels between client and backend, and what does not. */
import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { closedPort, sendJson, startBackend, startRawBackend, type Visit } from "./support/raw-backend.ts";
import { type RawClient, errorOf, until } from "./support/raw-client.ts";
import { CHAT, type DeploymentSetup, startGate, startSimpleGate } from "./support/raw-gate.ts";

/** Sends one chat request with these headers, and returns what the backend got. */
async function forwarded(headers: readonly string[], deployment: Partial<DeploymentSetup> = {}): Promise<Visit> {
  const backend = await startBackend();
  const [setup = {}] = deployment.backends ?? [];
  const own = typeof setup === "number" ? {} : setup;
  const gate = await startGate({ deployments: [{ ...deployment, backends: [{ ...own, port: backend.port }] }] });
  const client = await gate.connect();
  client.post("/v1/chat/completions", CHAT, ...headers);
  expect((await client.answer()).status).toBe(200);
  return backend.visit();
}

function valuesOf({ fields }: Visit, name: string): string[] {
  return fields.filter(([field]) => field === name).map(([, value]) => value);
}

describe("of a request", () => {
  test("end-to-end headers travel on, in order and as often as they came", async () => {
    const visit = await forwarded(["X-One: 1", "Accept: a", "x-one: 2", "Accept: b", "OpenAI-Organization: o"]);
    expect(visit.fields.slice(0, 7).map(([name, value]) => `${name}: ${value}`)).toEqual([
      `host: ${visit.request.headers.host}`,
      "connection: keep-alive",
      "x-one: 1",
      "accept: a",
      "x-one: 2",
      "accept: b",
      "openai-organization: o",
    ]);
  });

  test("hop-by-hop headers stop at the gate, and so do those that Connection names", async () => {
    const visit = await forwarded([
      "Connection: keep-alive, X-Secret, , x-other",
      "connection: X-Third",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "Proxy-Authorization: Basic x",
      "Proxy-Authenticate: Basic",
      "TE: trailers",
      "Trailer: x",
      "X-Secret: 1",
      "X-Other: 1",
      "X-Third: 1",
      "X-Stays: 1",
    ]);
    const names = new Set(visit.fields.map(([name]) => name));
    for (const name of ["x-secret", "x-other", "x-third", "keep-alive", "te", "trailer"])
      expect(names).not.toContain(name);
    expect([...names].filter((name) => name.startsWith("proxy-"))).toEqual([]);
    expect(names).toContain("x-stays");
    expect(valuesOf(visit, "connection")).toEqual(["keep-alive"]);
  });

  test("Connection cannot take away what the gate says itself", async () => {
    const visit = await forwarded(
      ["Connection: authorization, x-request-id, via, x-forwarded-for, host, content-length", "X-Request-Id: mine"],
      { backends: [{ port: 0, apiKey: "backend-key" }] },
    );
    expect(valuesOf(visit, "authorization")).toEqual(["Bearer backend-key"]);
    expect(valuesOf(visit, "x-request-id")).toEqual(["mine"]);
    expect(valuesOf(visit, "x-forwarded-for")).toEqual(["127.0.0.1"]);
    expect(valuesOf(visit, "via")).toHaveLength(1);
    expect(valuesOf(visit, "content-length")).toEqual([String(visit.body.length)]);
  });

  test("credentials never reach a backend by default", async () => {
    const visit = await forwarded([
      "Authorization: Bearer sk-client",
      "X-Api-Key: sk-client",
      "Api-Key: sk-client",
      "X-Goog-Api-Key: sk-client",
      "Cookie: session=sk-client",
    ]);
    expect(JSON.stringify(visit.fields)).not.toContain("sk-client");
  });

  test("credentials reach the backend where that is configured", async () => {
    const visit = await forwarded(["authorization: Bearer sk-client", "X-Api-Key: sk-2"], {
      forwardClientCredentials: true,
    });
    expect(valuesOf(visit, "authorization")).toEqual(["Bearer sk-client"]);
    expect(valuesOf(visit, "x-api-key")).toEqual(["sk-2"]);
  });

  test("a backend's key takes the place of the client's, whatever is configured", async () => {
    const visit = await forwarded(["Authorization: Bearer sk-client", "x-api-key: sk-client"], {
      forwardClientCredentials: true,
      backends: [{ port: 0, apiKey: "backend-key" }],
    });
    expect(valuesOf(visit, "authorization")).toEqual(["Bearer backend-key"]);
    expect(JSON.stringify(visit.fields)).not.toContain("sk-client");
  });

  test("where it came from is the gate's to say", async () => {
    const visit = await forwarded([
      "X-Forwarded-For: 6.6.6.6",
      "x-forwarded-for: 7.7.7.7",
      "X-Forwarded-Host: evil",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Port: 1",
      "X-Real-IP: 6.6.6.6",
      "Forwarded: for=6.6.6.6",
    ]);
    expect(valuesOf(visit, "x-forwarded-for")).toEqual(["127.0.0.1"]);
    expect(valuesOf(visit, "x-forwarded-host")).toEqual(["gate"]);
    expect(valuesOf(visit, "x-forwarded-proto")).toEqual(["http"]);
    expect(JSON.stringify(visit.fields)).not.toMatch(/6\.6\.6\.6|evil/);
  });

  test("a second Host changes nothing", async () => {
    const visit = await forwarded(["Host: evil"]);
    expect(valuesOf(visit, "host")).toHaveLength(1);
    expect(valuesOf(visit, "x-forwarded-host")).toEqual(["gate"]);
  });

  test("x-conversation-id stops, since it makes a server go on after its client has left", async () => {
    const visit = await forwarded(["X-Conversation-Id: c1"]);
    expect(valuesOf(visit, "x-conversation-id")).toEqual([]);
  });

  test("a proxy's Via stays, and the gate adds its own", async () => {
    const visit = await forwarded(["Via: 1.1 edge"]);
    expect(valuesOf(visit, "via")).toEqual(["1.1 edge", expect.stringMatching(/^1\.1 headgate-[0-9a-f]{8}$/)]);
  });

  test.each(["__proto__", "constructor", "hasOwnProperty", "toString", "prototype"])(
    "a header named %s is one like any other",
    async (name) => {
      const visit = await forwarded([`${name}: polluted`, `Connection: keep-alive, ${name}-too`, `${name}-too: x`]);
      expect(valuesOf(visit, name.toLowerCase())).toEqual(["polluted"]);
      expect(valuesOf(visit, `${name.toLowerCase()}-too`)).toEqual([]);
      expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("polluted");
    },
  );

  test("__proto__ in Connection does not stop a header of that name from being hop-by-hop", async () => {
    const visit = await forwarded(["Connection: __proto__, constructor", "__proto__: x", "constructor: x"]);
    expect(visit.fields.filter(([name]) => name === "__proto__" || name === "constructor")).toEqual([]);
  });

  test("values keep the bytes above ASCII", async () => {
    const visit = await forwarded([`X-Latin: caf\u00e9 \u00ff`]);
    expect(valuesOf(visit, "x-latin")).toEqual(["caf\u00e9 \u00ff"]);
  });
});

describe("the request id", () => {
  async function idOf(client: RawClient, index = 0): Promise<string | undefined> {
    return (await client.answer(index)).headers.get("x-request-id");
  }

  test("is the client's own where it is harmless, for the backend and in the answer", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT, "X-Request-Id: req_1:a.b-c");
    expect(await idOf(client)).toBe("req_1:a.b-c");
    expect(valuesOf(await backend.visit(), "x-request-id")).toEqual(["req_1:a.b-c"]);
  });

  test.each(["a b", "a".repeat(129), "<script>", "a\tb", "\u00e9", '"', ""])(
    "is a new one in place of %j",
    async (id) => {
      const backend = await startBackend();
      const gate = await startSimpleGate([backend.port]);
      const client = await gate.connect();
      client.post("/v1/chat/completions", CHAT, `X-Request-Id: ${id}`);
      expect(await idOf(client)).toMatch(/^hg-[0-9a-f]{8}-[0-9a-z]+$/);
      expect(valuesOf(await backend.visit(), "x-request-id")).toEqual([await idOf(client)]);
    },
  );

  test("is a new one where the client sends two", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT, "X-Request-Id: one", "X-Request-Id: two");
    expect(await idOf(client)).toMatch(/^hg-/);
  });

  test("differs between requests, and is on refusals and on the gate's own pages too", async () => {
    const gate = await startSimpleGate([1]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", "{").get("/healthz").get("/proxy/stats").head("TRACE / HTTP/1.1", "Host: g");
    const ids = [await idOf(client, 0), await idOf(client, 1), await idOf(client, 2), await idOf(client, 3)];
    expect(ids.every((id) => id?.startsWith("hg-") === true)).toBe(true);
    expect(new Set(ids).size).toBe(4);
  });

  test("that the backend gives stands in the answer", async () => {
    const backend = await startBackend(({ response }) => {
      response.setHeader("x-request-id", "from-backend");
      sendJson(response, 200, {});
    });
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    expect(await idOf(client)).toBe("from-backend");
  });
});

describe("of an answer", () => {
  test("end-to-end headers travel on, hop-by-hop ones and those that Connection names do not", async () => {
    const backend = await startRawBackend((peer) => {
      void peer
        .received("hello")
        .then(() =>
          peer.send(
            "HTTP/1.1 200 Fine\r\nX-One: 1\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=9\r\nX-Hop: 1\r\n" +
              "Proxy-Authenticate: Basic\r\nUpgrade: h2c\r\nx-one: 2\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n" +
              "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nok",
          ),
        );
    });
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    const answer = await client.answer();
    expect(answer).toMatchObject({ status: 200, reason: "Fine", body: "ok" });
    const names = answer.fields.map(([name]) => name);
    expect(names.filter((name) => ["x-hop", "proxy-authenticate", "upgrade"].includes(name))).toEqual([]);
    expect(answer.fields.filter(([name]) => name === "x-one" || name === "set-cookie")).toEqual([
      ["x-one", "1"],
      ["x-one", "2"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
    expect(answer.headers.get("keep-alive")).toBe("timeout=75");
    expect(answer.headers.get("x-headgate-outcome")).toBeUndefined();
  });

  test("the time in the queue is told to whoever waited, and only to them", async () => {
    const clock = new VirtualClock();
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1 }, { clock });
    const [first, second] = [await gate.connect(), await gate.connect()];
    first.post("/v1/chat/completions", CHAT);
    const visit = await backend.visit(0);
    second.post("/v1/chat/completions", CHAT);
    await until(() => gate.gateway.stats().waiting === 1);
    clock.advance(25);
    sendJson(visit.response, 200, {});
    sendJson((await backend.visit(1)).response, 200, {});
    expect((await first.answer()).headers.has("x-headgate-queue-ms")).toBe(false);
    expect((await second.answer()).headers.get("x-headgate-queue-ms")).toBe("25");
  });
});

test("a gate whose backend leads back to it answers 508", async () => {
  const port = await closedPort();
  const backend = await startBackend();
  const gate = await startGate({
    deployments: [
      { models: ["loop"], backends: [port] },
      { models: ["*"], backends: [backend.port] },
    ],
    server: { port },
  });
  expect(gate.port).toBe(port);
  const client = await gate.connect();
  client.post("/v1/chat/completions", { ...CHAT, model: "loop" });
  const answer = await client.answer();
  expect(answer.status).toBe(508);
  expect(errorOf(answer).message).toContain("loop");
  // Another gate's Via is no loop.
  client.post("/v1/chat/completions", CHAT, "Via: 1.1 headgate-00000000");
  expect((await client.answer(1)).status).toBe(200);
  expect(backend.visits).toHaveLength(1);
});
