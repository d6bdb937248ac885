/** Versions, methods, expectations and targets, on the wire. */
import { METHODS } from "node:http";

import { describe, expect, test } from "vitest";

import { answerOk, sendJson, startBackend } from "./support/raw-backend.ts";
import { errorOf, turns, until } from "./support/raw-client.ts";
import { CHAT, startSimpleGate } from "./support/raw-gate.ts";

const BODY = JSON.stringify(CHAT);
const LENGTH = `Content-Length: ${BODY.length}`;

describe("HTTP/1.0", () => {
  test("is answered, without chunks, and the connection closes", async () => {
    const backend = await startBackend(({ response }) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
      response.end("data: 2\n\n");
    });
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head("POST /v1/chat/completions HTTP/1.0", LENGTH).send(BODY);
    const answer = await client.answer();
    expect(answer).toMatchObject({ status: 200, body: "data: 1\n\ndata: 2\n\n", chunks: [], complete: true });
    expect(answer.headers.has("transfer-encoding")).toBe(false);
    expect(answer.headers.get("connection")).toBe("close");
    await client.gone();
  });

  test("keeps the connection where the client asks for it and the length is known", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    for (const index of [0, 1]) {
      client.head("POST /v1/chat/completions HTTP/1.0", "Connection: keep-alive", LENGTH).send(BODY);
      const answer = await client.answer(index);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("connection")).toBe("keep-alive");
    }
    expect(backend.visits.map(({ request }) => request.httpVersion)).toEqual(["1.1", "1.1"]);
  });

  test("ignores expectations, which it does not know", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head("POST /v1/chat/completions HTTP/1.0", "Expect: 100-continue", LENGTH).send(BODY);
    expect(await client.answer()).toMatchObject({ status: 200, interim: [] });
  });

  test("needs no Host, and the backend gets its own", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head("GET /v1/models HTTP/1.0");
    expect((await client.answer()).status).toBe(200);
    const { fields } = await backend.visit();
    expect(fields.filter(([name]) => name === "host")).toEqual([["host", `127.0.0.1:${backend.port}`]]);
    expect(fields.some(([name]) => name === "x-forwarded-host")).toBe(false);
  });
});

describe("Expect", () => {
  test("100-continue asks for the body, and the backend never hears of it", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head("POST /v1/chat/completions HTTP/1.1", "Host: gate", "Expect: 100-continue", LENGTH);
    await client.received("HTTP/1.1 100 Continue\r\n\r\n");
    expect(backend.visits).toHaveLength(0);
    client.send(BODY);
    expect(await client.answer()).toMatchObject({ status: 200, interim: [100] });
    const { fields, body } = await backend.visit();
    expect(body.toString()).toBe(BODY);
    expect(fields.some(([name]) => name === "expect")).toBe(false);
  });

  test("100-continue with a body above the cap is refused without asking for it", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port], {}, { server: { maxBodyBytes: 1_000 } });
    const client = await gate.connect();
    client.head("POST /v1/chat/completions HTTP/1.1", "Host: gate", "Expect: 100-continue", "Content-Length: 1001");
    const answer = await client.answer();
    expect(answer).toMatchObject({ status: 413, interim: [] });
    expect(answer.headers.get("connection")).toBe("close");
    expect(errorOf(answer).code).toBe("request_too_large");
    expect(backend.visits).toHaveLength(0);
  });

  test("100-continue on a page of the gate's own is answered at once", async () => {
    const gate = await startSimpleGate([1]);
    const client = await gate.connect();
    client.head("GET /healthz HTTP/1.1", "Host: gate", "Expect: 100-continue");
    expect(await client.answer()).toMatchObject({ status: 200, interim: [] });
  });

  test("100-continue before a body on the list of models is kept", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head("GET /v1/models HTTP/1.1", "Host: gate", "Expect: 100-continue", "Content-Length: 2");
    await client.received("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("{}");
    expect(await client.answer()).toMatchObject({ status: 200, interim: [100] });
  });

  test("anything else is 417", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head("POST /v1/chat/completions HTTP/1.1", "Host: gate", "Expect: the-unexpected", LENGTH).send(BODY);
    const answer = await client.answer();
    expect(answer).toMatchObject({ status: 417, interim: [] });
    expect(errorOf(answer).code).toBe("invalid_request");
    expect(backend.visits).toHaveLength(0);
  });
});

describe("methods", () => {
  test("HEAD has the headers of the backend's answer and no body", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head("HEAD /v1/models HTTP/1.1", "Host: gate").get("/v1/models");
    const [head, got] = [await client.answer(0), await client.answer(1)];
    expect(head).toMatchObject({ status: 200, body: "" });
    expect(head.headers.get("content-length")).toBe(got.headers.get("content-length"));
    expect(got.body).toBe('{"ok":true}');
    expect(backend.visits.map(({ request }) => request.method)).toEqual(["HEAD", "GET"]);
  });

  test("HEAD on a refusal and on the gate's own pages has no body either", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port], { maxUnseated: 1 });
    const client = await gate.connect();
    client.head("HEAD /proxy/stats HTTP/1.1", "Host: gate");
    expect(await client.answer()).toMatchObject({ status: 200, body: "" });
    client.head("HEAD /x HTTP/1.1", "Host: gate", "Transfer-Encoding: gzip, chunked").send("0\r\n\r\n");
    expect(await client.answer(1)).toMatchObject({ status: 501, body: "", complete: true });
    await client.gone();
    expect(client.text).not.toContain("error");
  });

  test("a CORS preflight reaches the backend and takes no seat", async () => {
    const backend = await startBackend(({ request, response }) => {
      if (request.method !== "OPTIONS") return;
      response.writeHead(204, { "access-control-allow-origin": "*", "access-control-allow-methods": "POST" });
      response.end();
    });
    const gate = await startSimpleGate([backend.port], { maxConcurrent: 1 });
    const holder = await gate.connect();
    holder.post("/v1/chat/completions", CHAT);
    await backend.visit(0);
    const client = await gate.connect();
    client.head(
      "OPTIONS /v1/chat/completions HTTP/1.1",
      "Host: gate",
      "Origin: https://example.org",
      "Access-Control-Request-Method: POST",
    );
    const answer = await client.answer();
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    const { fields } = await backend.visit(1);
    expect(fields).toContainEqual(["origin", "https://example.org"]);
  });

  test("OPTIONS * asks for no path, and is refused", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head("OPTIONS * HTTP/1.1", "Host: gate");
    expect((await client.answer()).status).toBe(400);
    expect(backend.visits).toHaveLength(0);
  });

  test("TRACE is 405, and nothing of the request is echoed", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head("TRACE /v1/models HTTP/1.1", "Host: gate", "Authorization: Bearer secret");
    expect((await client.answer()).status).toBe(405);
    expect(client.text).not.toContain("secret");
    expect(backend.visits).toHaveLength(0);
  });

  test("CONNECT is 405 and closes, whatever the client does with its side", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect({ allowHalfOpen: true });
    client.head("CONNECT backend:443 HTTP/1.1", "Host: backend:443").send("\x16\x03\x01");
    expect((await client.answer()).status).toBe(405);
    await until(() => client.ended);
    // The client keeps its side open, and the gate can still stop.
    await gate.gateway.close();
    expect(backend.visits).toHaveLength(0);
  });

  test("Upgrade to websocket is 501", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.get("/v1/realtime", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13");
    expect((await client.answer()).status).toBe(501);
    expect(backend.visits).toHaveLength(0);
  });

  test("Upgrade to h2c is ignored: the answer is HTTP/1.1, and the backend hears nothing of it", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post(
      "/v1/chat/completions",
      CHAT,
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQAAP__",
    );
    expect(await client.answer()).toMatchObject({ status: 200, version: "1.1", interim: [] });
    const { fields } = await backend.visit();
    expect(fields.filter(([name]) => name === "upgrade" || name === "http2-settings")).toEqual([]);
  });

  test("that the parser takes reach the backend, whatever they mean, and leave it healthy", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    const methods = METHODS.filter((method) => method !== "CONNECT" && method !== "TRACE");
    for (const [index, method] of methods.entries()) {
      client.head(`${method} /x HTTP/1.1`, "Host: gate");
      expect((await client.answer(index)).status).toBe(200);
    }
    expect(backend.visits.map(({ request }) => request.method)).toEqual(methods);
    expect(gate.gateway.stats().deployments["deployment-0"]?.backends).toMatchObject([{ healthy: true, failures: 0 }]);
  });

  test("PUT and PATCH take a seat, with a body of any kind", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.head("PUT /v1/anything HTTP/1.1", "Host: gate", "Content-Length: 3").send("\x00\x01\x02");
    expect((await client.answer()).status).toBe(200);
    expect((await backend.visit()).body).toEqual(Buffer.from([0, 1, 2]));
    expect(gate.gateway.stats().admitted).toBe(1);
  });
});

describe("targets", () => {
  test("in absolute form lose their authority, which decides nothing", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("http://other.example:9/v1/chat/completions?a=1", CHAT);
    expect((await client.answer()).status).toBe(200);
    const { request, fields } = await backend.visit();
    expect(request.url).toBe("/v1/chat/completions?a=1");
    expect(fields).toContainEqual(["host", `127.0.0.1:${backend.port}`]);
  });

  test("in absolute form without a path keep their query", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.get("http://other.example?a=1/2");
    expect((await client.answer()).status).toBe(200);
    expect((await backend.visit()).request.url).toBe("/?a=1/2");
  });

  test.each(["ftp://other.example/x", "other.example/x", "x"])("%s is refused", async (target) => {
    const backend = await startBackend();
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.get(target);
    expect((await client.answer()).status).toBe(400);
    expect(backend.visits).toHaveLength(0);
  });

  test("keep their escapes and their query on the way to the backend, after its prefix", async () => {
    const backend = await startBackend();
    const gate = await startSimpleGate([{ port: backend.port, prefix: "/tenant" }]);
    const client = await gate.connect();
    client.get("/v1/x%2Fy/%e2%82%ac?q=%20&r=a+b");
    expect((await client.answer()).status).toBe(200);
    expect((await backend.visit()).request.url).toBe("/tenant/v1/x%2Fy/%e2%82%ac?q=%20&r=a+b");
  });

  test.each(["/../other/v1/models", "/v1/%2e%2e/../other", "/v1/..%2f..%2fother", "/v1/.%252e/..\\x"])(
    "%s would climb out of the backend's prefix, and is refused",
    async (target) => {
      const backend = await startBackend();
      const gate = await startSimpleGate([{ port: backend.port, prefix: "/tenant" }]);
      const client = await gate.connect();
      client.get(target);
      expect((await client.answer()).status).toBe(400);
      expect(backend.visits).toHaveLength(0);
    },
  );
});

describe("pipelined requests", () => {
  test("are answered in order, however long the first one takes", async () => {
    const backend = await startBackend((visit, index) => {
      if (index > 0) answerOk(visit, index);
    });
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions?first", CHAT).get("/healthz").post("/v1/chat/completions?third", CHAT);
    const { response } = await backend.visit(0);
    await turns();
    expect(client.answers).toHaveLength(0);
    sendJson(response, 200, { first: true });
    expect((await client.answer(0)).body).toBe('{"first":true}');
    expect((await client.answer(1)).body).toContain('"status": "ok"');
    expect((await client.answer(2)).body).toBe('{"ok":true}');
    expect(backend.visits.map(({ request }) => request.url?.split("?")[1])).toEqual(["first", "third"]);
  });

  test("hold no seat before their turn, and leave nothing when the client goes", async () => {
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    for (let count = 0; count < 20; count++) client.post("/v1/chat/completions", CHAT);
    await backend.visit(0);
    await turns();
    expect(gate.gateway.stats()).toMatchObject({ in_flight: 1, waiting: 0, open: 1 });
    client.socket.destroy();
    await until(() => gate.gateway.stats().open === 0);
    expect(gate.gateway.stats()).toMatchObject({ in_flight: 0, outcomes: { client_closed: 1 } });
    expect(backend.visits).toHaveLength(1);
  });

  test("CONNECT among them is not taken for the answer to the one before", async () => {
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT).head("CONNECT x:1 HTTP/1.1", "Host: x:1");
    await client.gone();
    expect(client.text).toBe("");
  });

  test("that are no HTTP do not end up as the answer to the one before", async () => {
    const backend = await startBackend(() => {});
    const gate = await startSimpleGate([backend.port]);
    const client = await gate.connect();
    client.post("/v1/chat/completions", CHAT);
    await backend.visit(0);
    client.send("nonsense\r\n\r\n");
    await client.gone();
    expect(client.text).toBe("");
  });
});
