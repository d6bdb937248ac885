import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import type { ChildMessage } from "./answer.ts";

const SOURCES = {
  backend: new URL("../backend.ts", import.meta.url),
  bare: new URL("../bare.ts", import.meta.url),
  decision: new URL("../decision.ts", import.meta.url),
  gate: new URL("../gate.ts", import.meta.url),
  load: new URL("../load.ts", import.meta.url),
};
export type ChildName = keyof typeof SOURCES;

export interface ChildOptions {
  readonly args?: readonly (string | number)[];
  /** Flags for Node itself. */
  readonly flags?: readonly string[];
}

/** A process of the bench that answers commands. */
export class Child<Command extends object, Reply> {
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  /** Starts a process in its compiled form and waits until it is ready. */
  static async start<Command extends object, Reply>(
    name: ChildName,
    { args = [], flags = [] }: ChildOptions = {},
  ): Promise<Child<Command, Reply>> {
    const script = fileURLToPath(new URL(`dist/bench/${name}.js`, SOURCES[name]));
    const process = fork(script, args.map(String), { execArgv: [...flags] });
    const message = await nextMessage(process, name);
    if (!("port" in message)) throw new Error(`${name} did not say where it listens`);
    return new Child(process, message.port);
  }

  /** One command at a time. */
  async ask(command: Command): Promise<Reply> {
    const message = nextMessage(this.#process, "a process of the bench");
    this.#process.send(command);
    const answer = await message;
    if ("reply" in answer) return answer.reply as Reply;
    throw new Error("error" in answer ? answer.error : "a process of the bench gave no answer");
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.disconnect();
    await exited;
  }
}

function nextMessage(process: ChildProcess, name: string): Promise<ChildMessage> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error(`${name} ended`));
    process.once("exit", onExit);
    process.once("message", (message) => {
      process.off("exit", onExit);
      resolve(message as ChildMessage);
    });
  });
}
