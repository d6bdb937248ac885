import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";

import { openBatch } from "../../src/batch/run/batch-file.ts";
import type { BatchFileEnding, BatchFileOptions } from "../../src/batch/run/batch-file-types.ts";
import type { VirtualClock } from "../../src/testing/index.ts";

/** A request as a test's server sees it. */
export interface Call {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
  /** The text of the first message: tests name their rows by it. */
  readonly name: string;
  /** How often a request of this name came, this one included. */
  readonly time: number;
}

/** What it answers. `reset`: nothing, the connection breaks. */
export type Reply =
  | "reset"
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
    };

/** A server whose answers a test writes. */
export interface TestServer {
  readonly url: string;
  readonly calls: readonly Call[];
  /** Requests that have no answer yet. */
  readonly open: number;
}

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Ends with the test. */
export async function startServer(respond: (call: Call) => Reply | Promise<Reply> = () => ({})): Promise<TestServer> {
  const calls: Call[] = [];
  const times = new Map<string, number>();
  let open = 0;
  const server: Server = createServer((request, response) => {
    let text = "";
    open += 1;
    response.on("close", () => (open -= 1));
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (text += chunk));
    request.on("error", () => {});
    request.on("end", () => {
      const body = JSON.parse(text) as Record<string, unknown>;
      const name = nameOf(body);
      const time = (times.get(name) ?? 0) + 1;
      times.set(name, time);
      const call: Call = { path: request.url ?? "", headers: request.headers, body, name, time };
      calls.push(call);
      void Promise.resolve(respond(call)).then((reply) => {
        if (reply === "reset") return request.socket.resetAndDestroy();
        const { status = 200, headers = {}, body = answerTo(name) } = reply;
        response.writeHead(status, { "content-type": "application/json", "x-request-id": `r-${name}`, ...headers });
        response.end(typeof body === "string" ? body : JSON.stringify(body));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    calls,
    get open(): number {
      return open;
    },
  };
}

/** A small chat completion. */
function answerTo(name: string): object {
  return {
    id: `chatcmpl-${name}`,
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content: `about ${name}` }, finish_reason: "stop" }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  };
}

/** A folder that goes with the test. */
export function folder(): { readonly path: (name: string) => string } {
  const path = mkdtempSync(join(tmpdir(), "headgate-batch-"));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return { path: (name) => join(path, name) };
}

/** A row of the batch format; its name is in its id and its message. */
export function row(name: string, more: object = {}): object {
  const body = { model: "m", messages: [{ role: "user", content: name }], max_tokens: 8, ...more };
  return { custom_id: name, method: "POST", url: "/v1/chat/completions", body };
}

export function rows(count: number): readonly object[] {
  return Array.from({ length: count }, (_, index) => row(`row ${index}`));
}

/** Writes an input. Strings are lines as they are. */
export function writeRows(path: string, lines: readonly (object | string)[]): string {
  writeFileSync(path, lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  return path;
}

/** The lines of a file, parsed. None where there is no file. */
export function readRows(path: string): readonly Record<string, unknown>[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The ids of the lines of a file. */
export function ids(path: string): readonly string[] {
  return readRows(path).map((line) => String(line["custom_id"]));
}

/** Runs a batch of files to its end. Throws where it is refused. */
export async function run(options: BatchFileOptions): Promise<BatchFileEnding> {
  const opened = await openBatch(options);
  if (opened.kind === "refused") throw new Error(`refused: ${JSON.stringify(opened.refusal)}`);
  const { clock } = options;
  const ended = opened.batch.run();
  return clock === undefined ? ended : whileMoving(clock as VirtualClock, ended);
}

/** Moves time on until a promise is settled: sockets are real, waits are not. */
export async function whileMoving<T>(clock: VirtualClock, promise: Promise<T>, step = 100): Promise<T> {
  const state = { isSettled: false };
  const settle = (): void => {
    state.isSettled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; !state.isSettled && turn < 200_000; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    // Time stands still while an answer is on its way most of the time.
    if (turn % 10 === 9) clock.advance(step);
  }
  return promise;
}

/** Lets the event loop turn until a condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000_000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("the condition never came to hold");
}

function nameOf(body: Record<string, unknown>): string {
  const messages = body["messages"];
  const first: unknown = Array.isArray(messages) ? messages[0] : undefined;
  return typeof first === "object" && first !== null && "content" in first ? String(first.content) : "";
}
