/* The model server. Answers with bytes that were rendered once, so that it takes little from the machine. */
import { type AddressInfo, createServer, type Socket } from "node:net";

import { answer } from "./process/answer.ts";
import { JSON_ANSWER, STREAM_CHUNK, STREAM_HEAD, wantedOf } from "./wire/answer.ts";
import { MessageReader } from "./wire/message-reader.ts";
import { Pacer } from "./wire/pacer.ts";

const pacer = new Pacer();

const server = createServer({ noDelay: true }, (socket) => {
  const reader = new MessageReader({ message: (head) => reply(socket, head), chunk: () => {} });
  socket.on("data", (piece) => reader.push(piece));
  socket.on("error", () => {});
});

function reply(socket: Socket, head: string): void {
  switch (wantedOf(head)) {
    case "json":
      return void socket.write(JSON_ANSWER);
    case "stream":
      socket.write(STREAM_HEAD);
      return pacer.add(socket);
    case "idle":
      socket.write(STREAM_HEAD);
      return void socket.write(STREAM_CHUNK);
  }
}

// Room for thousands that connect at the same moment.
server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
  answer((server.address() as AddressInfo).port, () => pacer.written);
});
