/* A server that answers every request at once with the same small completion, and counts how many came in any second. */
import { createServer, type Socket } from "node:net";

const WINDOW_MS = 1_000;
const BODY = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "Yes." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 12, completion_tokens: 2, total_tokens: 14 },
});
const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(BODY)}\r\n\r\n${BODY}`,
);
const HEAD_END = "\r\n\r\n";

let requests = 0;
let most = 0;
let first = 0;
let arrivals = new Float64Array(1 << 21);

/** Sliding: the most that lay in any half-open window that ends with an arrival. */
function count(): void {
  const now = performance.now();
  if (requests === 0) first = now;
  if (requests === arrivals.length) {
    const old = arrivals;
    arrivals = new Float64Array(old.length * 2);
    arrivals.set(old);
  }
  arrivals[requests] = now;
  requests += 1;
  while (now - (arrivals[oldest] ?? now) >= WINDOW_MS) oldest += 1;
  most = Math.max(most, requests - oldest);
}
let oldest = 0;

/** One request at a time on each connection: bodies have a length, and the next comes after the answer. */
function serve(socket: Socket): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (;;) {
      const end = pending.indexOf(HEAD_END);
      if (end === -1) return;
      const head = pending.toString("latin1", 0, end).toLowerCase();
      const length = Number(/\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0);
      const size = end + HEAD_END.length + length;
      if (pending.length < size) return;
      pending = pending.subarray(size);
      count();
      socket.write(ANSWER);
    }
  });
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" && address !== null ? address.port : 0 });
});
process.on("message", ({ lastWindow }: { readonly lastWindow: number }) => {
  const began = arrivals[requests - lastWindow] ?? first;
  process.send?.({ requests, most, beforeLastMs: began - first });
  [requests, oldest, most] = [0, 0, 0];
});
process.on("disconnect", () => process.exit());
