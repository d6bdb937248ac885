import type { ServerResponse } from "node:http";

import type { Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";
import type { AdminRefusal } from "./refusal.ts";

/** How long an upload that nobody wants is read on and thrown away, so that the client sees the answer first. */
const LINGER_MS: Ms = 1_000;

/** Answers are for programs and for the dashboard: not to be kept, not to be guessed at, not to be framed or embedded. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-type": "application/json",
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Extra headers, and the clock that ends lingering uploads. */
export interface ReplyOptions {
  readonly clock: Clock;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers with JSON. */
export function reply(response: ServerResponse, status: number, json: object, { clock, headers }: ReplyOptions): void {
  const body = `${JSON.stringify(json, undefined, 2)}\n`;
  const lingers = hasUnreadBody(response);
  response.writeHead(status, {
    ...HEADERS,
    "content-length": Buffer.byteLength(body),
    ...(lingers && { connection: "close" }),
    ...headers,
  });
  const payload = response.req.method === "HEAD" ? "" : body;
  if (lingers) endAfterUpload(response, payload, clock);
  else response.end(payload);
}

/** Answers with `{error: {code, message}}`, and what else there is to say. */
export function refuse(response: ServerResponse, why: AdminRefusal, options: ReplyOptions, more: object = {}): void {
  const { code, message } = why;
  reply(response, why.status, { error: { code, message }, ...more }, options);
}

function hasUnreadBody({ req }: ServerResponse): boolean {
  const announced = req.headers["transfer-encoding"] !== undefined || Number(req.headers["content-length"] ?? 0) > 0;
  return announced && !req.complete;
}

/** Closing at once would reset the connection of a client that is still sending, and take the answer with it. */
function endAfterUpload(response: ServerResponse, payload: string, clock: Clock): void {
  const request = response.req;
  response.write(payload);
  const stop = (): void => {
    cancel();
    request.off("end", stop).off("close", stop);
    response.end();
  };
  const cancel = clock.after(LINGER_MS, stop);
  request.on("end", stop).on("close", stop);
  request.resume();
}
