import type { Dispatcher } from "undici";

import type { Clock } from "../../contracts/clock.ts";
import type { Bytes, Ms } from "../../core/units.ts";
import type { Backend } from "./backend.ts";
import type { Connection } from "./connection.ts";

export interface FetchOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly timeoutMs: Ms;
  /** JSON, to be POSTed. */
  readonly body?: Buffer;
}

/** What came of a small request of the gate's own. */
export type SmallAnswer =
  | { readonly kind: "answer"; readonly status: number; readonly body: Buffer }
  | { readonly kind: "failed"; readonly error: Error }
  | { readonly kind: "timeout" };

/** Answers above this are not what the gate asks for. */
const MAX_BYTES: Bytes = 4_194_304;

/** Asks a backend for something small, outside all seats. Calls `done` once. */
export function fetchSmall(backend: Backend, options: FetchOptions, done: (answer: SmallAnswer) => void): void {
  ask(backend, backend.pool.acquire(), options, done);
}

function ask(
  backend: Backend,
  connection: Connection,
  options: FetchOptions,
  done: (answer: SmallAnswer) => void,
): void {
  const wasUsed = connection.served > 0;
  const chunks: Buffer[] = [];
  let length = 0;
  let status = 0;
  let finished = false;
  const finish = (answer: SmallAnswer): void => {
    if (finished) return;
    finished = true;
    cancel();
    done(answer);
  };
  const giveUp = (answer: SmallAnswer): void => {
    connection.hangUp(() => backend.pool.release(connection));
    finish(answer);
  };
  const cancel = options.clock.after(options.timeoutMs, () => giveUp({ kind: "timeout" }));
  const headers = ["accept", "application/json"];
  if (backend.apiKey !== undefined) headers.push("authorization", `Bearer ${backend.apiKey}`);
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: () => {},
    onResponseStart: (_, statusCode) => {
      status = statusCode;
    },
    onResponseData: (_, chunk) => {
      if (finished) return;
      length += chunk.length;
      if (length > MAX_BYTES) return giveUp({ kind: "failed", error: new Error(`more than ${MAX_BYTES} bytes`) });
      chunks.push(chunk);
    },
    onResponseEnd: () => {
      connection.served += 1;
      if (!finished) backend.pool.release(connection);
      finish({ kind: "answer", status, body: Buffer.concat(chunks, length) });
    },
    onResponseError: (_, error) => {
      if (finished) return;
      backend.pool.release(connection);
      // The socket had gone stale while it was idle, which says nothing about the server.
      if (wasUsed && status === 0 && !backend.pool.closed) {
        cancel();
        return ask(backend, backend.pool.acquire(true), options, done);
      }
      finish({ kind: "failed", error });
    },
  };
  const { body } = options;
  if (body !== undefined) headers.push("content-type", "application/json");
  const method = body === undefined ? "GET" : "POST";
  connection.dispatch({ method, path: `${backend.prefix}${options.path}`, headers, body: body ?? null }, handler);
}
