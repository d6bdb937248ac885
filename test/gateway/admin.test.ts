/** The pages of the admin listener, over real sockets. */
import { describe, expect, test } from "vitest";

import { ALICE, ALICE_IN_FULL, countingReloads, errorOf, startAdmin, STATS } from "./admin-kit.ts";
import { turns } from "./support/raw-client.ts";

describe("the pages", () => {
  test("status has everything of /proxy/stats, and the state of the file", async () => {
    const { ask } = await startAdmin();
    const answer = await ask("GET /api/v1/status");
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({
      ...STATS,
      configuration: { file: "headgate.yaml", version: 1, hash: "0123456789ab", rejected: null },
    });
  });

  test("consumers lists them", async () => {
    const { ask } = await startAdmin();
    expect(JSON.parse((await ask("GET /api/v1/consumers")).body)).toEqual({ consumers: [ALICE] });
  });

  test("a consumer is shown with its effective policy", async () => {
    const { ask } = await startAdmin();
    expect(JSON.parse((await ask("GET /api/v1/consumers/alice")).body)).toEqual(ALICE_IN_FULL);
  });

  test("the name of a consumer is percent-decoded, once", async () => {
    const { ask } = await startAdmin();
    expect((await ask("GET /api/v1/consumers/%61lice")).status).toBe(200);
    expect((await ask("GET /api/v1/consumers/%2561lice")).status).toBe(404);
  });

  test("an unknown consumer is 404 with the one that was meant", async () => {
    const { ask } = await startAdmin();
    const answer = await ask("GET /api/v1/consumers/alcie");
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toEqual({
      code: "unknown_consumer",
      message: "There is no consumer alcie. Did you mean alice?",
    });
  });

  test("an unknown consumer that resembles none is told where the list is", async () => {
    const { ask } = await startAdmin();
    const message = errorOf(await ask("GET /api/v1/consumers/%0a%1b[31mzzzz")).message;
    expect(message).toBe("There is no consumer \u{fffd}\u{fffd}[31mzzzz. GET /api/v1/consumers lists them.");
  });

  test("healthz says that it is there, and nothing else", async () => {
    const { ask } = await startAdmin();
    expect(JSON.parse((await ask("GET /healthz")).body)).toEqual({ status: "ok" });
  });

  test("a query changes nothing", async () => {
    const { ask } = await startAdmin();
    expect((await ask("GET /api/v1/consumers/alice?verbose=1")).status).toBe(200);
  });

  test("HEAD has the headers of GET and no body", async () => {
    const { ask } = await startAdmin();
    const answer = await ask("HEAD /api/v1/status");
    expect(answer).toMatchObject({ status: 200, body: "" });
    expect(Number(answer.headers.get("content-length"))).toBeGreaterThan(100);
  });

  test.each(["/", "/api/v1", "/api/v1/status/", "//api/v1/status", "/API/v1/status", "/api/v1/consumers/", "/metrics"])(
    "%s is 404 in JSON",
    async (path) => {
      const { ask } = await startAdmin();
      const answer = await ask(`GET ${path}`);
      expect(answer.status).toBe(404);
      expect(errorOf(answer)).toMatchObject({ code: "not_found", message: expect.stringContaining("/api/v1/status") });
    },
  );

  test.each(["/api/v1/consumers/a/b", "/api/v1/consumers/%zz", "/api/v1/consumers/%ff"])(
    "%s names no consumer",
    async (path) => {
      const { ask } = await startAdmin();
      expect((await ask(`GET ${path}`)).status).toBe(404);
    },
  );

  test.each([
    ["POST /api/v1/status", "GET, HEAD"],
    ["DELETE /api/v1/consumers/alice", "GET, HEAD"],
    ["OPTIONS /api/v1/status", "GET, HEAD"],
    ["GET /api/v1/reload", "POST"],
    ["PUT /api/v1/reload", "POST"],
  ])("%s is 405 with what is allowed", async (line, allow) => {
    const { ask } = await startAdmin();
    const answer = await ask(line);
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe(allow);
    expect(errorOf(answer).code).toBe("method_not_allowed");
  });

  test.each(["GET /api/v1/status", "GET /nowhere", "GET /healthz", "POST /api/v1/reload"])(
    "%s is JSON that nobody keeps, guesses at or frames",
    async (line) => {
      const { ask } = await startAdmin();
      const { headers } = await ask(line);
      expect(headers.get("content-type")).toBe("application/json");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers.has("access-control-allow-origin")).toBe(false);
    },
  );

  test("several requests on one connection are answered", async () => {
    const { connect, port } = await startAdmin();
    const client = await connect();
    for (const index of [0, 1, 2]) {
      client.head("GET /healthz HTTP/1.1", `Host: 127.0.0.1:${port}`);
      expect((await client.answer(index)).status).toBe(200);
    }
  });
});

describe("what goes wrong", () => {
  test("a mistake in a source costs one answer, and the log says which", async () => {
    const { ask, lines } = await startAdmin();
    const answer = await ask("POST /api/v1/reload", "Content-Type: application/json", "Content-Length: 0");
    expect(answer.status).toBe(500);
    expect(errorOf(answer).message).not.toContain("no test asked for");
    expect(lines).toContain("error admin: a page failed");
    expect((await ask("GET /healthz")).status).toBe(200);
  });

  test("what is no HTTP gets 400", async () => {
    const { connect } = await startAdmin();
    const client = await connect();
    client.send("hello\r\n\r\n");
    expect((await client.answer()).status).toBe(400);
  });

  test("a client that leaves before its body is complete reloads nothing", async () => {
    const configuration = countingReloads();
    const { connect, port, ask } = await startAdmin({ source: { configuration } });
    const client = await connect();
    const type = "Content-Type: application/json";
    client.head("POST /api/v1/reload HTTP/1.1", `Host: 127.0.0.1:${port}`, type, "Content-Length: 2").send("{");
    await turns();
    client.socket.destroy();
    await turns();
    expect((await ask("GET /healthz")).status).toBe(200);
    expect(configuration.count).toBe(0);
  });

  test("a port that is taken is told", async () => {
    const { port } = await startAdmin();
    await expect(startAdmin({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test("a listener that never listened closes", async () => {
    const { admin, clock } = await startAdmin();
    const first = admin.close();
    clock.advance(1_000);
    await first;
    await admin.close();
    expect(clock.pending).toBe(0);
  });

  test("closing takes a second at most, whatever clients do", async () => {
    const { admin, clock, connect, port } = await startAdmin({ source: { configuration: countingReloads() } });
    const client = await connect();
    const type = "Content-Type: application/json";
    client.head("POST /api/v1/reload HTTP/1.1", `Host: 127.0.0.1:${port}`, type, "Content-Length: 2");
    await turns();
    const closed = admin.close();
    clock.advance(1_000);
    await closed;
    await client.gone();
  });
});

describe("a body", () => {
  const json = "Content-Type: application/json";

  test.each(["", "{}", " { }\n"])("of %j asks for a reload", async (body) => {
    const configuration = countingReloads();
    const { connect, port } = await startAdmin({ source: { configuration } });
    const client = await connect();
    client.head("POST /api/v1/reload HTTP/1.1", `Host: 127.0.0.1:${port}`, json, `Content-Length: ${body.length}`);
    client.send(body);
    const answer = await client.answer();
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ version: 1, changed: [], needs_restart: [] });
    expect(configuration.count).toBe(1);
  });

  test.each(['{"force":true}', "[]", "null", "{"])("of %j is refused, since it takes no parameters", async (body) => {
    const configuration = countingReloads();
    const { connect, port } = await startAdmin({ source: { configuration } });
    const client = await connect();
    client.head("POST /api/v1/reload HTTP/1.1", `Host: 127.0.0.1:${port}`, json, `Content-Length: ${body.length}`);
    client.send(body);
    const answer = await client.answer();
    expect(answer.status).toBe(400);
    expect(configuration.count).toBe(0);
  });

  test("that is huge by its own word is refused before it is read", async () => {
    const { connect, port, clock } = await startAdmin();
    const client = await connect();
    const expects = "Expect: 100-continue";
    client.head("POST /api/v1/reload HTTP/1.1", `Host: 127.0.0.1:${port}`, json, expects, "Content-Length: 5000000000");
    await client.received("413");
    clock.advance(1_000);
    const answer = await client.answer();
    expect(answer).toMatchObject({ status: 413, interim: [] });
    expect(answer.headers.get("connection")).toBe("close");
    expect(errorOf(answer).code).toBe("request_too_large");
    await client.gone();
  });

  test("that turns out huge is refused while it comes", async () => {
    const { connect, port, clock } = await startAdmin();
    const client = await connect();
    client.head("POST /api/v1/reload HTTP/1.1", `Host: 127.0.0.1:${port}`, json, "Transfer-Encoding: chunked");
    for (let index = 0; index < 5; index++) client.send(`400\r\n${" ".repeat(1_024)}\r\n`);
    await client.received("413");
    clock.advance(1_000);
    expect((await client.answer()).status).toBe(413);
    await client.gone();
  });

  test("with a request for a page is not read", async () => {
    const { connect, port, clock } = await startAdmin();
    const client = await connect();
    client.head("GET /api/v1/status HTTP/1.1", `Host: 127.0.0.1:${port}`, "Content-Length: 1000000");
    await client.received("200 OK");
    clock.advance(1_000);
    expect((await client.answer()).status).toBe(200);
    await client.gone();
  });

  test("is asked for where the client waits to be", async () => {
    const { connect, port } = await startAdmin({ source: { configuration: countingReloads() } });
    const client = await connect();
    const expects = "Expect: 100-continue";
    client.head("POST /api/v1/reload HTTP/1.1", `Host: 127.0.0.1:${port}`, json, expects, "Content-Length: 2");
    await client.received("100 Continue");
    client.send("{}");
    expect(await client.answer()).toMatchObject({ status: 200, interim: [100] });
  });
});
