/** The little of HTTP that the dialects share: routes, JSON bodies, event streams, errors, and clients that go away. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";

/**
 * @typedef {{ body: Record<string, unknown>, query: URLSearchParams, id: string, signal: AbortSignal }} Request `id` is
 *   made from the request, so that equal requests get equal answers; `signal` aborts when the client goes away.
 * @typedef {{
 *   json(value: unknown): void,
 *   text(value: string): void,
 *   event(data: unknown, name?: string): void,
 *   end(): void,
 * }} Reply The first event sends the response head, so what fails before it can still be an HTTP error.
 * @typedef {(request: Request, reply: Reply) => void | Promise<void>} Handler
 */

/** An answer that is an error, as llama-server words it. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} type
   * @param {string} message
   * @param {Record<string, unknown>} [details]
   */
  constructor(status, type, message, details = {}) {
    super(message);
    this.status = status;
    this.body = { error: { code: status, message, type, ...details } };
  }
}

/** @param {string} message */
export const invalid = (message) => new ApiError(400, "invalid_request_error", message);

/** @param {Record<string, Handler>} routes Handlers by `"METHOD /path"`. */
export function createHttpServer(routes) {
  return createServer(async (incoming, response) => {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const reply = replyTo(response);
    try {
      const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://localhost");
      const handler = routes[`${incoming.method} ${pathname}`];
      if (handler === undefined) throw new ApiError(404, "not_found_error", "File Not Found");
      const bytes = await readAll(incoming);
      const id = createHash("sha256").update(`${pathname}\n`).update(bytes).digest("hex").slice(0, 24);
      await handler({ body: parse(bytes), query: searchParams, id, signal: gone.signal }, reply);
    } catch (error) {
      if (!gone.signal.aborted) fail(response, error);
    }
  });
}

/**
 * @param {import("node:http").ServerResponse} response
 * @returns {Reply}
 */
function replyTo(response) {
  return {
    json: (value) => send(response, 200, value),
    text: (value) => void response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).end(value),
    event(data, name) {
      if (!response.headersSent) {
        response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
      }
      const line = `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
      response.write(name === undefined ? line : `event: ${name}\n${line}`);
    },
    end: () => void response.end(),
  };
}

/**
 * @param {import("node:http").ServerResponse} response
 * @param {unknown} error
 */
function fail(response, error) {
  const expected = error instanceof ApiError;
  if (!expected) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  const answer = expected ? error : new ApiError(500, "server_error", String(error));
  if (!response.headersSent) return send(response, answer.status, answer.body);
  response.end(`data: ${JSON.stringify(answer.body)}\n\n`);
}

/**
 * @param {import("node:http").ServerResponse} response
 * @param {number} status
 * @param {unknown} value
 */
function send(response, status, value) {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(value));
}

/** @param {AsyncIterable<Buffer>} stream */
async function readAll(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * @param {Buffer} bytes
 * @returns {Record<string, unknown>}
 */
function parse(bytes) {
  if (bytes.length === 0) return {};
  /** @type {unknown} */
  let value;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw invalid("the body is not valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("the body must be an object");
  return /** @type {Record<string, unknown>} */ (value);
}
