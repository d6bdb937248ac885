import type { ServerResponse } from "node:http";

import { type Outcome, OUTCOMES } from "../../core/outcome.ts";
import type { Ms } from "../../core/units.ts";
import type { Surface } from "../route.ts";
import { errorBody } from "../surfaces/errors.ts";
import { type Ceiling, ietfRateLimit } from "./rate-limit-headers.ts";

/** Why the gate answers for itself. */
export interface GateError {
  readonly outcome: Outcome;
  /** In place of the status that the outcome has. */
  readonly status?: number;
  /** What happened, which rule, what to do. One or two sentences. */
  readonly message: string;
  readonly param?: string;
  /** The same request will never get through, whatever its status says. */
  readonly isFinal?: boolean;
  /** When the same request may get through. */
  readonly retryAfterMs?: Ms;
  /** What the refusal is about. */
  readonly ceiling?: Ceiling;
  /** More headers, flat. */
  readonly headers?: readonly string[];
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
  // Flat, as `writeHead` takes it: a fraction of what `setHeader` costs.
  const headers: string[] = ["content-type", "application/json", "content-length", String(Buffer.byteLength(body))];
  headers.push("x-request-id", context.requestId, "x-headgate-outcome", outcome);
  // Where Anthropic's clients look for it.
  if (context.surface === "anthropic") headers.push("request-id", context.requestId);
  if (context.waitedMs >= 1) headers.push("x-headgate-queue-ms", String(Math.round(context.waitedMs)));
  // Never earlier than a retry can succeed, never later than the whole seconds say.
  if (retry !== undefined) headers.push("retry-after", String(seconds), "retry-after-ms", String(Math.ceil(retry)));
  // RFC 9110 §15.5.2
  if (status === 401) headers.push("www-authenticate", "Bearer");
  const isHopeless = outcome === "request_too_large" || error.isFinal === true || (retry ?? 0) > LONGEST_RETRY_MS;
  if (isHopeless) headers.push("x-should-retry", "false");
  if (error.ceiling !== undefined) headers.push(...ietfRateLimit(error.ceiling, seconds));
  if (error.headers !== undefined) headers.push(...error.headers);
  // The client is still sending. Closing now would reset the connection and could take the answer with it.
  const lingers = !response.req.complete;
  if (lingers) headers.push("connection", "close");
  response.writeHead(status, headers);
  const payload = response.req.method === "HEAD" ? "" : body;
  if (lingers) endAfterUpload(response, payload, context);
  else response.end(payload);
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

function endAfterUpload(response: ServerResponse, payload: string, context: ReplyContext): void {
  const request = response.req;
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
