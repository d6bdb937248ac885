/** Who may call the admin listener, over real sockets. Each block is a rule of the law in guard.ts. */
import { request as httpRequest } from "node:http";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createAdmin } from "../../src/gateway/admin/index.ts";
import { Guard } from "../../src/gateway/admin/guard.ts";
import type { AdminErrorCode } from "../../src/gateway/admin/index.ts";
import { countingReloads, errorOf, NO_SOURCE, startAdmin } from "./admin-kit.ts";

const STATUS = "GET /api/v1/status";
const RELOAD = "POST /api/v1/reload";
const JSON_TYPE = "Content-Type: application/json";
const TOKEN = "correct-horse-battery-staple";

describe("Host", () => {
  test.each(["127.0.0.1", "localhost", "LocalHost", "[::1]"])("%s with the port is this listener", async (name) => {
    const { ask, port } = await startAdmin();
    expect((await ask(STATUS, `Host: ${name}:${port}`)).status).toBe(200);
  });

  test.each([
    "evil.example",
    "evil.example:PORT",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1.evil.example:PORT",
    "localhost.:PORT",
    "localhost:PORT.evil.example",
    "evil.example#@127.0.0.1:PORT",
    "user@127.0.0.1:PORT",
    "2130706433:PORT",
    "127.1:PORT",
    "0.0.0.0:PORT",
    "[::ffff:127.0.0.1]:PORT",
    "::1:PORT",
    "",
  ])("%j is not, whichever page is asked for", async (host) => {
    const { ask, port } = await startAdmin();
    for (const line of [STATUS, "GET /healthz", "GET /nowhere", RELOAD]) {
      const answer = await ask(line, `Host: ${host.replace("PORT", String(port))}`);
      expect(answer.status).toBe(403);
      expect(errorOf(answer).code).toBe("host_not_allowed");
    }
  });

  test("a refusal says where to call", async () => {
    const { ask, port } = await startAdmin();
    const { message } = errorOf(await ask(STATUS, "Host: evil.example"));
    expect(message).toContain(`http://127.0.0.1:${port}`);
  });

  test("the configured host is allowed beside the loopback names", () => {
    const guard = new Guard({ host: "gate.example", port: 9090, token: TOKEN });
    expect(judge(guard, { host: "GATE.example:9090" })).toBeUndefined();
    expect(judge(guard, { host: "localhost:9090" })).toBeUndefined();
    expect(judge(guard, { host: "other.example:9090" })).toBe("host_not_allowed");
  });

  test("a configured address is allowed in every spelling that clients make of it", () => {
    const guard = new Guard({ host: "2001:DB8:0::1", port: 9090, token: TOKEN });
    expect(judge(guard, { host: "[2001:db8::1]:9090" })).toBeUndefined();
    expect(judge(guard, { host: "[2001:db8:0::1]:9090" })).toBeUndefined();
    expect(judge(guard, { host: "[2001:db8::2]:9090" })).toBe("host_not_allowed");
  });

  test.each(["0.0.0.0", "0", "::", "0::0", "::ffff:0.0.0.0"])("%s takes any name", (host) => {
    const guard = new Guard({ host, port: 9090, token: TOKEN });
    expect(judge(guard, { host: "headgate.internal" })).toBeUndefined();
  });

  test("the port that everybody knows may be left out", () => {
    const guard = new Guard({ host: "127.0.0.1", port: 80 });
    expect(judge(guard, { host: "localhost" })).toBeUndefined();
    expect(judge(guard, { host: "localhost:80" })).toBeUndefined();
    expect(judge(guard, { host: "evil.example" })).toBe("host_not_allowed");
  });

  test.each([
    [[]],
    [["Host: 127.0.0.1:PORT", "Host: evil.example"]],
    [["Host: 127.0.0.1:PORT", "host: 127.0.0.1:PORT"]],
  ])("%j is not one Host header", async (headers: readonly string[]) => {
    const { connect, port } = await startAdmin();
    const client = await connect();
    client.head(`${STATUS} HTTP/1.1`, ...headers.map((header) => header.replace("PORT", String(port))));
    const answer = await client.answer();
    expect(answer.status).toBe(400);
  });

  test("a target with a host of its own is refused, whatever Host says", async () => {
    const { ask, port } = await startAdmin();
    for (const authority of ["evil.example", `127.0.0.1:${port}`]) {
      expect((await ask(`GET http://${authority}/api/v1/status`)).status).toBe(400);
    }
  });

  test("a wildcard address takes any name, and lets nobody in without the token", async () => {
    const { ask } = await startAdmin({ host: "0.0.0.0", token: TOKEN });
    const host = "Host: headgate.internal:9090";
    expect((await ask(STATUS, host)).status).toBe(401);
    expect((await ask(STATUS, host, `Authorization: Bearer ${TOKEN}`)).status).toBe(200);
    expect((await ask(STATUS, host, `Authorization: Bearer ${TOKEN}`, "Origin: http://evil.example")).status).toBe(403);
  });
});

describe("pages of other origins", () => {
  test.each([
    ["Origin: http://evil.example"],
    ["Origin: null"],
    ["Origin: http://127.0.0.1:1"],
    ["Origin: http://localhost:PORT"],
    ["Origin: http://127.0.0.1:PORT.evil.example"],
    ["Origin: file://"],
    ["Sec-Fetch-Site: cross-site"],
    ["Sec-Fetch-Site: same-site"],
    ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"],
    ["Origin: http://127.0.0.1:PORT", "Sec-Fetch-Site: cross-site"],
    ["Origin: http://127.0.0.1:PORT", "Origin: http://evil.example"],
  ])("%j may not read, write or ask whether they may", async (...headers) => {
    const configuration = countingReloads();
    const { ask, port } = await startAdmin({ source: { configuration } });
    const sent = headers.map((header) => header.replace("PORT", String(port)));
    for (const line of [STATUS, "GET /healthz", "OPTIONS /api/v1/reload", RELOAD]) {
      const answer = await ask(line, ...sent, JSON_TYPE, "Content-Length: 0");
      expect(answer.status).toBe(403);
      expect(errorOf(answer).code).toBe("origin_not_allowed");
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    expect(configuration.count).toBe(0);
  });

  test("the listener's own pages may", async () => {
    const { ask, port } = await startAdmin({ source: { configuration: countingReloads() } });
    const own = [`Origin: http://127.0.0.1:${port}`, "Sec-Fetch-Site: same-origin"];
    expect((await ask(STATUS, ...own)).status).toBe(200);
    expect((await ask(RELOAD, ...own, JSON_TYPE, "Content-Length: 0")).status).toBe(200);
  });

  test("an address that a person typed may be looked at, and changes nothing", async () => {
    const configuration = countingReloads();
    const { ask } = await startAdmin({ source: { configuration } });
    expect((await ask(STATUS, "Sec-Fetch-Site: none")).status).toBe(200);
    expect((await ask(RELOAD, "Sec-Fetch-Site: none", JSON_TYPE, "Content-Length: 0")).status).toBe(403);
    expect(configuration.count).toBe(0);
  });
});

describe("the token", () => {
  test("is not needed on loopback where none is configured", async () => {
    const { ask } = await startAdmin();
    expect((await ask(STATUS)).status).toBe(200);
  });

  test.each([
    "127.0.0.1",
    "127.9.9.9",
    "127.1",
    "0x7f000001",
    "LocalHost",
    "localhost.",
    "::1",
    "0:0::1",
    "::ffff:127.0.0.1",
  ])("is not needed on %s, which is loopback", (host) => {
    expect(() => createAdmin({ host, port: 0 }, NO_SOURCE)).not.toThrow();
  });

  test("is needed on loopback too where one is configured", async () => {
    const { ask } = await startAdmin({ token: TOKEN });
    const answer = await ask(STATUS);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="headgate admin"');
    expect(errorOf(answer).code).toBe("invalid_token");
    expect((await ask(STATUS, `Authorization: Bearer ${TOKEN}`)).status).toBe(200);
    expect((await ask(STATUS, `authorization: bEARER   ${TOKEN} `)).status).toBe(200);
  });

  test.each([
    "Bearer, please",
    "Bearer wrong",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Basic ${Buffer.from(`:${TOKEN}`).toString("base64")}`,
    TOKEN,
    `Bearer ${"a".repeat(8_000)}`,
  ])("%s is not it, and is not repeated", async (value) => {
    const { ask, lines } = await startAdmin({ token: TOKEN });
    const answer = await ask(STATUS, `Authorization: ${value}`);
    expect(answer.status).toBe(401);
    expect(answer.body).not.toContain(value);
    expect(lines.join("\n")).not.toContain(value);
  });

  test("that comes twice is refused, even if one of them is right", async () => {
    const { ask } = await startAdmin({ token: TOKEN });
    for (const [first, second] of [
      [TOKEN, "wrong"],
      ["wrong", TOKEN],
    ]) {
      const answer = await ask(STATUS, `Authorization: Bearer ${first}`, `Authorization: Bearer ${second}`);
      expect(answer.status).toBe(401);
    }
  });

  test("that is wrong is in the log, ten times at once and no more", async () => {
    const { ask, lines } = await startAdmin({ token: TOKEN });
    for (let index = 0; index < 30; index++) await ask(STATUS, "Authorization: Bearer wrong");
    expect(lines.filter((line) => line === "warn admin: refused")).toHaveLength(10);
    expect(lines.filter((line) => line === "debug admin: refused")).toHaveLength(20);
    expect((await ask(STATUS, `Authorization: Bearer ${TOKEN}`)).status).toBe(200);
  });

  test("guards every path and method, known or not, but for healthz", async () => {
    const { ask } = await startAdmin({ token: TOKEN });
    for (const path of ["/", "/nowhere", "/api/v1/status", "/healthz/", "/healthz/../api/v1/status", "/healthz%2f.."]) {
      expect((await ask(`GET ${path}`)).status).toBe(401);
      expect((await ask(`DELETE ${path}`)).status).toBe(401);
    }
    expect(await ask("GET /healthz")).toMatchObject({ status: 200, body: '{\n  "status": "ok"\n}\n' });
  });

  test.each([
    "0.0.0.0",
    "0",
    "::",
    "0:0::0",
    "::ffff:0.0.0.0",
    "192.0.2.1",
    "127.evil.example",
    "x@127.0.0.1",
    "gate.example",
    "",
  ])("an address that others reach (%j) is not listened on without one", (host) => {
    expect(() => createAdmin({ host, port: 0 }, NO_SOURCE)).toThrow("set admin.token");
  });

  test.each(["", "two words", "ümlaut", "a\nb", "a".repeat(4_097)])("%j cannot be one", (token) => {
    expect(() => createAdmin({ host: "127.0.0.1", port: 0, token }, NO_SOURCE)).toThrow(RangeError);
  });

  test("any text of visible ASCII can be one, and only itself is", () => {
    const text = fc.string({ minLength: 1, maxLength: 40 }).filter((token) => /^[\x21-\x7e]+$/.test(token));
    fc.assert(
      fc.property(text, text, (token, other) => {
        const guard = new Guard({ host: "127.0.0.1", port: 9090, token });
        expect(carries(guard, token)).toBe(true);
        expect(carries(guard, other)).toBe(other === token);
      }),
    );
  });
});

describe("a new configuration", () => {
  test("changes the token at once", async () => {
    const { admin, ask } = await startAdmin({ token: TOKEN });
    expect(admin.reconfigure({ host: "127.0.0.1", port: 0, token: "another" })).toEqual([]);
    expect((await ask(STATUS, `Authorization: Bearer ${TOKEN}`)).status).toBe(401);
    expect((await ask(STATUS, "Authorization: Bearer another")).status).toBe(200);
    admin.reconfigure({ host: "127.0.0.1", port: 0 });
    expect((await ask(STATUS)).status).toBe(200);
  });

  test("says what waits for a restart", async () => {
    const { admin } = await startAdmin();
    expect(admin.reconfigure({ host: "localhost", port: 9090 })).toEqual([
      "admin.host 127.0.0.1 → localhost",
      "admin.port 0 → 9090",
    ]);
    expect(admin.reconfigure(undefined)).toEqual(["admin is gone: its listener closes with a restart"]);
  });

  test("that takes the token away waits for the restart where others reach the listener", async () => {
    const { admin, ask } = await startAdmin({ host: "0.0.0.0", token: TOKEN });
    admin.reconfigure({ host: "127.0.0.1", port: 0 });
    expect((await ask(STATUS)).status).toBe(401);
    admin.reconfigure(undefined);
    expect((await ask(STATUS)).status).toBe(401);
    expect((await ask(STATUS, `Authorization: Bearer ${TOKEN}`)).status).toBe(200);
  });

  test("with a token that cannot be one changes nothing", async () => {
    const { admin, ask } = await startAdmin({ token: TOKEN });
    expect(() => admin.reconfigure({ host: "127.0.0.1", port: 0, token: "" })).toThrow(RangeError);
    expect((await ask(STATUS)).status).toBe(401);
    expect((await ask(STATUS, `Authorization: Bearer ${TOKEN}`)).status).toBe(200);
  });
});

describe("a write", () => {
  test.each([
    [],
    ["Content-Type: text/plain"],
    ["Content-Type: application/x-www-form-urlencoded"],
    ["Content-Type: multipart/form-data; boundary=x"],
    ["Content-Type: text/plain; application/json"],
    ["Content-Type: application/jsonp"],
  ])("that a form could send (%j) changes nothing", async (...headers) => {
    const configuration = countingReloads();
    const { ask } = await startAdmin({ source: { configuration } });
    const answer = await ask(RELOAD, ...headers, "Content-Length: 0");
    expect(answer.status).toBe(415);
    expect(errorOf(answer).code).toBe("unsupported_media_type");
    expect(configuration.count).toBe(0);
  });

  test.each([[JSON_TYPE], ["Content-Type: Application/JSON; charset=utf-8"], ["X-Headgate-Admin: 1"]])(
    "with %j is taken",
    async (header) => {
      const configuration = countingReloads();
      const { ask } = await startAdmin({ source: { configuration } });
      expect((await ask(RELOAD, header, "Content-Length: 0")).status).toBe(200);
      expect(configuration.count).toBe(1);
    },
  );

  test("is a POST: neither a GET nor a method override makes it one", async () => {
    const configuration = countingReloads();
    const { ask } = await startAdmin({ source: { configuration } });
    for (const line of ["GET /api/v1/reload", "GET /api/v1/reload?_method=POST", "PUT /api/v1/reload"]) {
      expect((await ask(line, JSON_TYPE, "X-HTTP-Method-Override: POST", "Content-Length: 0")).status).toBe(405);
    }
    expect(configuration.count).toBe(0);
  });
});

describe("odd clients", () => {
  test("a stranger learns nothing from the order of the checks", async () => {
    const { ask } = await startAdmin({ token: TOKEN });
    const known = await ask("POST /api/v1/status", "Content-Length: 0");
    const unknown = await ask("POST /api/v1/statu", "Content-Length: 0");
    expect([known.status, known.body]).toEqual([unknown.status, unknown.body]);
  });

  test("a header called __proto__ is a header", async () => {
    const { ask } = await startAdmin();
    expect((await ask(STATUS, "__proto__: x", "constructor: y")).status).toBe(200);
  });

  test("Node's own client is served", async () => {
    const { port } = await startAdmin();
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest({ port, path: "/api/v1/status", agent: false }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode));
      });
      request.on("error", reject).end();
    });
    expect(status).toBe(200);
  });
});

function judge(guard: Guard, headers: { readonly host: string }): AdminErrorCode | undefined {
  return guard.judgeOrigin({ method: "GET", headers, rawHeaders: ["Host", headers.host] })?.code;
}

function carries(guard: Guard, token: string): boolean {
  const authorization = `Bearer ${token}`;
  return guard.judgeToken({ method: "GET", headers: { authorization }, rawHeaders: [] }) === undefined;
}
