import type { ServerResponse } from "node:http";

import { type Outcome, OUTCOMES } from "../../core/outcome.ts";
import type { Ms } from "../../core/units.ts";
import type { Surface } from "../route.ts";
import { errorBody } from "../surfaces/errors.ts";

/** Why the gate answers for itself. */
export interface GateError {
  readonly outcome: Outcome;
  /** In place of the status that the outcome has. */
  readonly status?: number;
  /** What happened, which rule, what to do. One or two sentences. */
  readonly message: string;
  readonly param?: string;
  /** When the same request may get through. */
  readonly retryAfterMs?: Ms;
  /** The concurrency that the refusal is about. */
  readonly concurrency?: { readonly seats: number; readonly free: number };
}

/** Clients back off by themselves, and sooner, when they are told to wait longer than this. */
const LONGEST_RETRY_MS: Ms = 60_000;

/** How long an upload is read on and thrown away, so that the client sees the answer before the socket closes. */
const LINGER_MS: Ms = 1_000;

export interface ReplyContext {
  readonly surface: Surface;
  readonly requestId: string;
  readonly waitedMs: Ms;
  /** Calls back after a while; to end lingering uploads. */
  readonly after: (delay: Ms, run: () => void) => () => void;
}

/** Answers with an error in the shape that the client expects, with the headers that tell it when to come back. */
export function replyError(response: ServerResponse, error: GateError, context: ReplyContext): void {
  const { outcome } = error;
  const status = error.status ?? OUTCOMES[outcome].status ?? 502;
  const retry = error.retryAfterMs === undefined ? undefined : Math.max(error.retryAfterMs, 1);
  const seconds = retry === undefined ? undefined : Math.max(1, Math.ceil(retry / 1_000));
  const message = seconds === undefined ? error.message : `${error.message} Please try again in ${seconds}s.`;
  const facts = { outcome, status, message, requestId: context.requestId };
  const body = errorBody(context.surface, error.param === undefined ? facts : { ...facts, param: error.param });
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", Buffer.byteLength(body));
  response.setHeader("x-request-id", context.requestId);
  // Where Anthropic's clients look for it.
  if (context.surface === "anthropic") response.setHeader("request-id", context.requestId);
  response.setHeader("x-headgate-outcome", outcome);
  if (context.waitedMs >= 1) response.setHeader("x-headgate-queue-ms", Math.round(context.waitedMs));
  if (retry !== undefined && seconds !== undefined) {
    response.setHeader("retry-after", seconds);
    // Never earlier than a retry can succeed, never later than the whole seconds say.
    response.setHeader("retry-after-ms", Math.ceil(retry));
    if (retry > LONGEST_RETRY_MS) response.setHeader("x-should-retry", "false");
  }
  if (outcome === "request_too_large") response.setHeader("x-should-retry", "false");
  if (error.concurrency !== undefined) {
    const { seats, free } = error.concurrency;
    response.setHeader("ratelimit-policy", `"concurrency";q=${seats};qu="concurrent-requests"`);
    response.setHeader("ratelimit", `"concurrency";r=${free}${seconds === undefined ? "" : `;t=${seconds}`}`);
  }
  finish(response, body, context);
}

/** Answers with JSON of the gate's own. */
export function replyJson(response: ServerResponse, status: number, json: unknown): void {
  const body = `${JSON.stringify(json, undefined, 2)}\n`;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

function finish(response: ServerResponse, body: string, context: ReplyContext): void {
  const request = response.req;
  const payload = request.method === "HEAD" ? "" : body;
  if (request.complete) return void response.end(payload);
  // The client is still sending. Closing now would reset the connection and could take the answer with it.
  response.setHeader("connection", "close");
  response.write(payload);
  const stop = (): void => {
    cancel();
    request.off("end", stop).off("close", stop);
    response.end();
  };
  const cancel = context.after(LINGER_MS, stop);
  request.on("end", stop).on("close", stop);
  request.resume();
}
