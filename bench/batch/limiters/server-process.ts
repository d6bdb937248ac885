import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import type { ServerCommand, ServerReply } from "./protocol.ts";

/** A process that runs one server at a time. */
export class ServerProcess {
  readonly #process: ChildProcess = fork(fileURLToPath(new URL("server.ts", import.meta.url)));

  /** A fresh server, whose latencies are those of the seed. Returns its port. */
  async start(seed: number): Promise<number> {
    const reply = await this.#ask({ kind: "start", seed });
    if (reply.kind !== "started") throw new Error("the server did not start");
    return reply.port;
  }

  async stop(): Promise<{ readonly refused: number; readonly worst: number }> {
    const reply = await this.#ask({ kind: "stop" });
    if (reply.kind !== "stopped") throw new Error("the server did not stop");
    return reply;
  }

  end(): void {
    this.#process.disconnect();
  }

  async #ask(command: ServerCommand): Promise<ServerReply> {
    const answer = once(this.#process, "message");
    this.#process.send(command);
    const [reply] = await answer;
    return reply as ServerReply;
  }
}
