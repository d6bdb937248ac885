import { once } from "node:events";
import { createServer as createTcpServer, type AddressInfo } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import { openDoor } from "../../src/lab/http/door.ts";
import { askOnce, chunk, doorTo, event, Heard, question, serveWith, SSE, until } from "./kit.ts";

const WHOLE = {
  choices: [{ message: { content: "Hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 20, completion_tokens: 3 },
};
const HELLO =
  chunk({ role: "assistant", content: "" }) + chunk({ content: "Hi" }) + chunk({}, "stop") + event("[DONE]");

describe("a request", () => {
  test("carries the key, the model and a prompt, asks for usage, and lets its own members of the body stand above", async () => {
    const server = await serveWith((response) => response.writeHead(200, SSE).end(HELLO));
    await askOnce(await doorTo(server.url), { body: { temperature: 0, max_tokens: 2 } });
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: "Bearer k-alice",
      "content-type": "application/json",
    });
    expect(server.requests[0]?.headers).not.toHaveProperty("x-api-key");
    expect(JSON.parse(server.bodies[0] ?? "")).toMatchObject({
      model: "m",
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 2,
      temperature: 0,
      messages: [{ role: "user" }],
    });
  });

  test("sends no limit where there is none, but where the API takes none without", async () => {
    const server = await serveWith((response) => response.end("{}"));
    const door = await doorTo(`${server.url}/tenant/v1`);
    for (const api of ["chat", "completions", "messages"] as const)
      await askOnce(door, { api, maxTokens: undefined, stream: false });
    const bodies = server.bodies.map((body) => JSON.parse(body) as object);
    expect(bodies.map((body) => "max_tokens" in body)).toEqual([false, false, true]);
    expect(bodies.some((body) => "stream" in body || "stream_options" in body)).toBe(false);
    expect(server.requests.map(({ url }) => url)).toEqual([
      "/tenant/v1/chat/completions",
      "/tenant/v1/completions",
      "/tenant/v1/messages",
    ]);
    expect(server.requests[2]?.headers).toMatchObject({ "x-api-key": "k-alice", "anthropic-version": "2023-06-01" });
  });

  test("names the first model of the server's list where nobody names one", async () => {
    const server = await serveWith((response) => response.end('{"data":[{"id":"first"},{"id":"second"}]}'));
    const door = await openDoor({ url: server.url, key: "k" });
    onTestFinished(() => door.close());
    expect(server.requests[0]?.headers["authorization"]).toBe("Bearer k");
    await askOnce(door);
    await askOnce(door, { model: "third" });
    expect(server.bodies.slice(1).map((body) => (JSON.parse(body) as { model: string }).model)).toEqual([
      "first",
      "third",
    ]);
  });

  test("cannot be made where the server lists no model", async () => {
    const refusing = await serveWith((response) => response.writeHead(401).end());
    await expect(openDoor({ url: refusing.url })).rejects.toThrow("/v1/models: status 401");
    const empty = await serveWith((response) => response.end('{"data":[]}'));
    await expect(openDoor({ url: empty.url })).rejects.toThrow(
      "does not say which models there are (it lists none); name one with model: in the scenario",
    );
    await expect(openDoor({ url: "localhost:8080" })).rejects.toThrow("must be a URL");
  });
});

describe("a head", () => {
  test("has the facts of a refusal, in scenario time", async () => {
    const headers = {
      "x-headgate-outcome": "rate_limited",
      "x-headgate-queue-ms": "12",
      "retry-after": "2",
      "retry-after-ms": "1500",
      "x-should-retry": "false",
    };
    const server = await serveWith((response) => response.writeHead(429, headers).end('{"error":{}}'));
    const heard = await askOnce(await doorTo(server.url, 10));
    expect(heard.heads).toEqual([
      { status: 429, outcome: "rate_limited", queueMs: 120, retryAfterMs: 15_000, shouldRetry: false },
    ]);
    expect(heard.pieces).toBe(0);
    expect(heard.ends).toEqual([{ kind: "complete", inputTokens: undefined, outputTokens: undefined }]);
  });

  test.each([
    [{}, undefined],
    [{ "retry-after": "3" }, 3_000],
    [{ "retry-after": "Thu, 26 Nov 2026 10:00:05 GMT", date: "Thu, 26 Nov 2026 10:00:00 GMT" }, 5_000],
    [{ "retry-after": "soon" }, undefined],
  ])("with %j asks to wait %s ms", async (headers, expected) => {
    const server = await serveWith((response) => response.writeHead(503, headers).end());
    const heard = await askOnce(await doorTo(server.url));
    expect(heard.heads).toEqual([
      { status: 503, outcome: "", queueMs: 0, retryAfterMs: expected, shouldRetry: undefined },
    ]);
  });

  test("is not that of an informational answer", async () => {
    const server = await serveWith((response) => {
      response.writeEarlyHints({ link: "</x>; rel=preload" });
      response.writeHead(200, SSE).end(HELLO);
    });
    const heard = await askOnce(await doorTo(server.url));
    expect(heard.heads.map(({ status }) => status)).toEqual([200]);
  });
});

describe("an answer", () => {
  test("that comes whole is one piece, and complete if it says why it ended", async () => {
    const answers = [JSON.stringify(WHOLE), '{"choices":[{"message":{"content":"Hi"}}]}', '{"choices":[{"mess', "[]"];
    const server = await serveWith((response) => response.end(answers.shift()));
    const door = await doorTo(server.url);
    const heard = await askOnce(door, { stream: false });
    expect({ pieces: heard.pieces, ends: heard.ends }).toEqual({
      pieces: 1,
      ends: [{ kind: "complete", inputTokens: 20, outputTokens: 3 }],
    });
    while (answers.length > 0) {
      const { pieces, ends } = await askOnce(door, { stream: false });
      expect({ pieces, ends }).toEqual({ pieces: 0, ends: [{ kind: "incomplete" }] });
    }
  });

  test("that is cut off is incomplete, in a stream and whole", async () => {
    const server = await serveWith((response, request) => {
      if (server.bodies.length === 2) {
        response.writeHead(200, { "content-type": "application/json", "content-length": 1_000 });
        response.write("{", () => request.socket.resetAndDestroy());
      } else {
        response.writeHead(200, SSE);
        response.write(chunk({ content: "Hi" }), () => request.socket.destroy());
      }
    });
    const door = await doorTo(server.url);
    expect(await askOnce(door)).toMatchObject({ pieces: 1, ends: [{ kind: "incomplete" }] });
    expect(await askOnce(door)).toMatchObject({ pieces: 0, ends: [{ kind: "incomplete" }] });
  });

  test("that is never begun has failed, with a word for why", async () => {
    const server = await serveWith((_, request) => request.socket.resetAndDestroy());
    const door = await doorTo(server.url);
    expect(await askOnce(door)).toMatchObject({ heads: [], ends: [{ kind: "failed", reason: "reset" }] });
    const babbling = createTcpServer((socket) =>
      socket
        .on("error", () => {})
        .resume()
        .end("hello\r\n\r\n"),
    ).listen(0, "127.0.0.1");
    await once(babbling, "listening");
    onTestFinished(() => void babbling.close());
    const { port } = babbling.address() as AddressInfo;
    const other = await askOnce(await doorTo(`http://127.0.0.1:${port}`));
    expect(other.ends).toEqual([{ kind: "failed", reason: "not_http" }]);
    await new Promise((resolve) => babbling.close(resolve));
    const nobody = await askOnce(await doorTo(`http://127.0.0.1:${port}`));
    expect(nobody.ends).toEqual([{ kind: "failed", reason: "ECONNREFUSED" }]);
  });

  test("is never heard of before the asking is over, even where the request cannot be made", async () => {
    const server = await serveWith((response) => response.end("{}"));
    const door = await doorTo(server.url);
    const heard = new Heard();
    door.ask(question({ key: "with\na line break" }), heard);
    expect(heard.ends).toEqual([]);
    expect(await heard.over).toEqual({ kind: "failed", reason: "UND_ERR_INVALID_ARG" });
    expect(await askOnce(door)).toMatchObject({ heads: [{ status: 200 }] });
  });
});

describe("a connection", () => {
  test("is used again by the next request, also by one that is sent in the moment of the end", async () => {
    const server = await serveWith((response) => response.writeHead(200, SSE).end(HELLO));
    const door = await doorTo(server.url);
    for (let count = 0; count < 3; count++) await askOnce(door);
    let left = 5;
    await new Promise<void>((resolve) => {
      const ask = (): void => {
        const ended = (): void => (left-- > 0 ? ask() : resolve());
        door.ask(question(), { began: () => {}, content: () => {}, ended });
      };
      ask();
    });
    expect({ opened: server.opened(), requests: server.bodies.length }).toEqual({ opened: 1, requests: 9 });
  });

  test("is opened for every request where it is to be fresh, and closed after it", async () => {
    const server = await serveWith((response) => response.writeHead(200, SSE).end(HELLO));
    const door = await doorTo(server.url);
    await askOnce(door);
    for (let count = 0; count < 3; count++) await askOnce(door, { fresh: true });
    expect(server.opened()).toBe(4);
    expect(server.requests.map(({ headers }) => headers["connection"])).toEqual([
      "keep-alive",
      "close",
      "close",
      "close",
    ]);
    await until(() => server.open() === 1);
  });

  test("is not waited for: as many are open as requests", async () => {
    const server = await serveWith(() => {});
    const door = await doorTo(server.url);
    for (let count = 0; count < 50; count++) door.ask(question(), new Heard());
    await until(() => server.bodies.length === 50);
    expect(server.open()).toBe(50);
    await door.close();
    await until(() => server.open() === 0);
  });
});

describe("whoever hangs up", () => {
  test("closes the connection at once, and hears nothing any more", async () => {
    const server = await serveWith((response) => response.writeHead(200, SSE).write(chunk({ content: "Hi" })));
    const door = await doorTo(server.url);
    const heard = new Heard();
    const hangUp = door.ask(question(), heard);
    await heard.piece();
    hangUp();
    hangUp();
    await until(() => server.open() === 0);
    expect(heard).toMatchObject({ pieces: 1, ends: [] });
  });

  test("may do it before the request is sent, and while hearing a piece of it", async () => {
    const server = await serveWith((response) => response.writeHead(200, SSE).end(HELLO + HELLO));
    const door = await doorTo(server.url);
    const early = new Heard();
    door.ask(question(), early)();
    const late = new Heard();
    const hangUp = door.ask(question(), late);
    const content = late.content.bind(late);
    late.content = (pieces) => {
      content(pieces);
      hangUp();
    };
    await until(() => late.pieces > 0 && server.open() === 0);
    expect([early.heads, early.ends, late.ends]).toEqual([[], [], []]);
  });

  test("after the end does not close the connection that another one uses by then", async () => {
    const server = await serveWith((response) => response.writeHead(200, SSE).end(HELLO));
    const door = await doorTo(server.url);
    const heard = new Heard();
    const hangUp = door.ask(question(), heard);
    await heard.over;
    const next = new Heard();
    door.ask(question(), next);
    hangUp();
    expect(await next.over).toMatchObject({ kind: "complete" });
  });

  test("by closing the door hangs up on everybody, and nobody asks any more", async () => {
    const server = await serveWith((response) => response.writeHead(200, SSE).write(chunk({ content: "Hi" })));
    const door = await doorTo(server.url);
    const all = Array.from({ length: 3 }, () => new Heard());
    for (const heard of all) door.ask(question(), heard);
    await Promise.all(all.map((heard) => heard.piece()));
    await door.close();
    await until(() => server.open() === 0);
    expect(all.flatMap(({ ends }) => ends)).toEqual([]);
    expect(() => door.ask(question(), new Heard())).toThrow("closed");
  });
});
