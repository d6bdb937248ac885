import { createServer, type ServerResponse } from "node:http";
import { connect } from "node:net";

import { expect, test } from "vitest";

import { AnswerStream } from "../../src/lab/model/http/answer-stream.ts";
import { exchange, until, withServer } from "./support.ts";

test("a client that does not read makes the server stop writing, and gets everything once it reads", async () => {
  const tokens = 200_000;
  let response: ServerResponse | undefined;
  const server = createServer((_request, answer) => {
    response = answer;
    const stream = new AnswerStream({
      response: answer,
      words: () => "0123456789".repeat(10),
      format: {
        streamType: "text/plain",
        opening: () => "begin ",
        token: (text) => text,
        closing: () => " end",
        whole: () => ({}),
      },
      endOf: (reason, outputTokens) => ({ reason, outputTokens, text: () => "" }),
      cut: undefined,
    });
    for (let count = 0; count < tokens; count++) stream.token();
    stream.end("stop");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const socket = connect(address.port, "127.0.0.1");
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  await until(() => response?.writableNeedDrain === true);
  // It stays so: the kernel's buffers are full, and what waits in the process is one write.
  for (let turn = 0; turn < 1_000; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(response?.writableNeedDrain).toBe(true);
  expect(response?.writableLength).toBeLessThan(100_000);
  let received = 0;
  let tail = "";
  socket.setEncoding("latin1").on("data", (text: string) => {
    received += text.length;
    tail = (tail + text).slice(-20);
  });
  socket.resume();
  await new Promise((resolve) => socket.once("close", resolve));
  expect(received).toBeGreaterThan(tokens * 100);
  expect(tail).toContain(" end");
  await new Promise((resolve) => server.close(resolve));
});

test("a client that leaves without reading frees its place", async () => {
  await withServer({}, async (server, url) => {
    const body = JSON.stringify({ prompt: "x", max_tokens: 100_000, ignore_eos: true, stream: true });
    const socket = connect(server.port, "127.0.0.1");
    socket.pause();
    socket.write(`POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await until(() => server.stats().tokens_out === 100_000);
    expect((await exchange(`${url}/health`)).status).toBe(200);
    expect(server.stats()).toMatchObject({ concurrent: 1, requests: { completed: 0 } });
    socket.destroy();
    await until(() => server.stats().concurrent === 0);
    expect(server.stats().requests.aborted).toBe(1);
  });
});
