/* A server that answers every question in full after 50 ms, as a process of its own. It says where it listens, and ends with its parent. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const DELAY_MS = 50;
const ANSWER = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "Yes." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 20, completion_tokens: 2 },
});
const HEADERS = { "content-type": "application/json", "content-length": Buffer.byteLength(ANSWER) };

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    setTimeout(() => response.writeHead(200, HEADERS).end(ANSWER), DELAY_MS);
  });
});
server.listen(0, "127.0.0.1", () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.once("disconnect", () => process.exit());
