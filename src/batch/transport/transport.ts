import { Agent, errors } from "undici";

import type { Clock } from "../../contracts/clock.ts";
import type { Bytes, Ms } from "../../core/units.ts";
import { pathOf } from "./endpoint.ts";
import { SpareSockets } from "./spare-sockets.ts";

/** How requests are sent. */
export interface TransportOptions {
  readonly base: URL;
  /** Sent with every request; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** For one attempt, from its begin to the last byte of its answer. 0: no bound. */
  readonly timeoutMs: Ms;
  /** Connections that may be open at once. */
  readonly connections: number;
  /** Connections that are open ahead of their requests, so that none goes out later than it was allowed to. */
  readonly spareConnections: number;
  readonly clock: Clock;
}

/** What came of one attempt. */
export type Reception =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** Names in lower case; of repeated ones the last. */
      readonly headers: Readonly<Record<string, string | undefined>>;
      readonly text: string;
    }
  /** `reached`: the request may have come to the server. */
  | {
      readonly kind: "failed";
      readonly cause: "timeout" | "network";
      readonly message: string;
      readonly reached: boolean;
    }
  /** Given up by whoever sent it. */
  | { readonly kind: "aborted" };

/** More is no answer of a model. */
const MAX_ANSWER_BYTES: Bytes = 64 * 1024 * 1024;

const CONNECT_MS: Ms = 10_000;

/** Names of failures before a connection was there. */
const UNREACHED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/**
 * One request, one answer, no retries of its own: there is one layer that retries, and it is the runner. Redirects are
 * answers like any other, so that a key never goes elsewhere.
 */
export class Transport {
  readonly #options: TransportOptions;
  readonly #agent: Agent;
  readonly #spare: SpareSockets;
  readonly #open = new Set<AbortController>();
  #aborted = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    const { base, timeoutMs, connections, spareConnections, clock } = options;
    this.#spare = new SpareSockets({ base, count: spareConnections, connectMs: CONNECT_MS, clock });
    this.#agent = new Agent({
      connections,
      pipelining: 1,
      // undici's own bounds end answers that take more than five minutes.
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connect: this.#spare.connect,
      keepAliveTimeout: 4_000,
    });
  }

  /** Opens connections ahead. Never rejects: requests will say why there are none. */
  open(): Promise<void> {
    return this.#spare.open();
  }

  /** Never rejects. */
  async send(url: string, body: string): Promise<Reception> {
    if (this.#aborted) return { kind: "aborted" };
    const { base, headers, timeoutMs, clock } = this.#options;
    const abort = new AbortController();
    this.#open.add(abort);
    let late = false;
    const cancel = timeoutMs === 0 ? undefined : clock.after(timeoutMs, () => ((late = true), abort.abort()));
    try {
      const path = pathOf(base, url);
      const options = { origin: base.origin, path, method: "POST", headers, body, signal: abort.signal } as const;
      const answer = await this.#agent.request(options);
      const text = await readText(answer.body);
      return { kind: "answered", status: answer.statusCode, headers: flatten(answer.headers), text };
    } catch (error) {
      if (late || error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError)
        return { kind: "failed", cause: "timeout", message: `no answer within ${timeoutMs / 1_000} s`, reached: true };
      if (this.#aborted) return { kind: "aborted" };
      return { kind: "failed", cause: "network", message: describe(error), reached: !UNREACHED.has(codeOf(error)) };
    } finally {
      cancel?.();
      this.#open.delete(abort);
    }
  }

  /** Gives up what is on its way, and whatever is sent from now on. */
  abort(): void {
    this.#aborted = true;
    for (const abort of this.#open) abort.abort();
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    this.#spare.close();
    await this.#agent.destroy();
  }
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes: Bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error("the answer is longer than 64 MB");
    chunks.push(chunk);
  }
  return (chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)).toString("utf8");
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | undefined> {
  const flat: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers)) flat[name] = Array.isArray(value) ? value.at(-1) : value;
  return flat;
}

/** The system's code of an error, or of the one behind it. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return codeOf(first);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  const text = error.message === "" ? error.name : error.message;
  return code === "" || text.includes(code) ? text : `${text} (${code})`;
}
