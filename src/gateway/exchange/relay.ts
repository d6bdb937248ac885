import type { ServerResponse } from "node:http";

import type { Ms } from "../../core/units.ts";
import { type ResponseHeaders, responseHeaders, withoutRateLimits } from "../http/headers.ts";
import type { Surface } from "../route.ts";
import { type ErrorFacts, errorEvent } from "../surfaces/errors.ts";

type Framing = "sse" | "ndjson" | "plain";

const PRINTABLE_ASCII = /^[ -~]*$/;

const NEWLINE = 10;
const RETURN = 13;

/** What the gate adds to an answer. */
export interface OwnHeaders {
  readonly waitedMs: Ms;
  /** Flat. */
  readonly more: readonly string[] | undefined;
}

/** Writes a backend's answer to the client as it comes, byte for byte. */
export class Relay {
  readonly #response: ServerResponse;
  readonly #requestId: string;
  #framing: Framing = "plain";
  /** Whether an error event can end the answer: nobody could read one in a compressed answer, nor past a length. */
  #takesEvent = false;
  #started = false;
  #wrote = false;
  #last: Buffer | undefined;

  constructor(response: ServerResponse, requestId: string) {
    this.#response = response;
    this.#requestId = requestId;
  }

  get started(): boolean {
    return this.#started;
  }

  /** Writes the status and headers. Whether it is a stream is decided by what the backend sends, not by what was asked. */
  start(status: number, statusText: string, raw: readonly Buffer[], own: OwnHeaders): ResponseHeaders {
    const headers = responseHeaders(raw);
    this.#framing = framingOf(headers.contentType);
    this.#takesEvent = this.#framing !== "plain" && !headers.isEncoded && !headers.hasLength;
    this.#started = true;
    if (!headers.hasRequestId) headers.flat.push("x-request-id", this.#requestId);
    if (own.waitedMs >= 1) headers.flat.push("x-headgate-queue-ms", String(Math.round(own.waitedMs)));
    const isLimited = own.more !== undefined && own.more.length > 0;
    const flat = isLimited ? [...withoutRateLimits(headers.flat), ...own.more] : headers.flat;
    // undici reads the phrase as UTF-8, a status line takes Latin-1 at most, and clients go by the number.
    this.#response.writeHead(status, PRINTABLE_ASCII.test(statusText) ? statusText : "", flat);
    // With no first chunk in the same packet, the client should not wait for one to see the headers.
    if (!headers.hasLength) process.nextTick(() => this.#flushHeaders());
    return headers;
  }

  /** False: the client reads slowly; wait for its `drain`. */
  write(chunk: Buffer): boolean {
    this.#wrote = true;
    this.#last = chunk;
    return this.#response.write(chunk);
  }

  end(): void {
    this.#response.end();
  }

  /**
   * Ends an answer that broke. A stream of events gets an error event, for which its clients look; anything else is cut
   * off, so that nobody takes it for whole. So is a stream that broke inside a line: to end the line would make clients
   * parse the half of it, and fail there.
   */
  breakOff(surface: Surface, facts: ErrorFacts): void {
    if (this.#framing === "plain" || !this.#takesEvent || !this.#endsLine()) return this.cutOff();
    if (this.#framing === "sse" && !this.#endsEvent()) this.#response.write("\n\n");
    this.#response.end(errorEvent(surface, this.#framing, facts));
  }

  /** Ends the connection. HTTP/1.0 takes a plain end of it for the end of the answer, so there it is reset. */
  cutOff(): void {
    const { req, socket } = this.#response;
    if (req.httpVersionMinor === 0) socket?.resetAndDestroy();
    else this.#response.destroy();
  }

  #flushHeaders(): void {
    if (!this.#wrote && !this.#response.writableEnded && !this.#response.destroyed) this.#response.flushHeaders();
  }

  /** Empty lines more than needed are harmless; one too few would glue two events together. */
  #endsEvent(): boolean {
    return this.#last === undefined || (this.#last.at(-1) === NEWLINE && this.#last.at(-2) === NEWLINE);
  }

  #endsLine(): boolean {
    const last = this.#last?.at(-1);
    return last === undefined || last === NEWLINE || last === RETURN;
  }
}

function framingOf(contentType: string): Framing {
  if (contentType.startsWith("text/event-stream")) return "sse";
  if (contentType.startsWith("application/x-ndjson") || contentType.startsWith("application/jsonl")) return "ndjson";
  return "plain";
}
