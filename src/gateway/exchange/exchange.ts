import type { IncomingMessage, ServerResponse } from "node:http";

import type { Ended } from "../../core/cost/settlement.ts";
import { endingOf, type Outcome } from "../../core/outcome.ts";
import type { Ms } from "../../core/units.ts";
import type { Lease } from "../../engine/lease.ts";
import type { Caller } from "../auth/index.ts";
import type { Backend } from "../backend/backend.ts";
import { evidenceOf } from "../backend/health.ts";
import type { Deployment } from "../deployment.ts";
import { memberOfAddress } from "../http/address.ts";
import type { BodyResult } from "../http/body.ts";
import { readBody } from "../http/body.ts";
import { requestHeaders } from "../http/headers.ts";
import { type GateError, replyError } from "../http/reply.ts";
import type { ForwardRoute } from "../route.ts";
import type { Visit } from "../server.ts";
import type { Cuttable, Site } from "../site.ts";
import { Attempt, type AttemptListener, type AttemptRequest, type Failure } from "./attempt.ts";
import { Entrance, type EntranceListener, noBackend } from "./entrance.ts";
import * as say from "./messages.ts";
import { Relay } from "./relay.ts";

const EMPTY = Buffer.alloc(0);

/** Backend answers that another backend may well not give. */
const WORTH_ANOTHER_TRY: ReadonlySet<number> = new Set([502, 503, 504]);

/** How long the rest of such an answer may take, which is read so that the connection can be used again. */
const LONGEST_ERROR_MS: Ms = 5_000;

/**
 * One client request from its headers to its outcome: reads the body, asks the gate, tries a backend or two, relays.
 *
 * It has exactly one outcome, fixed by the first of `#conclude`. The lease lives on until the backend's side is over,
 * which may be long after the client has left.
 */
export class Exchange implements EntranceListener, AttemptListener, Cuttable {
  older: Cuttable | undefined;
  newer: Cuttable | undefined;
  readonly #site: Site;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #confirm: (() => void) | undefined;
  readonly #route: ForwardRoute;
  readonly #requestId: string;
  readonly #entrance: Entrance;
  readonly #relay: Relay;
  #body: Buffer = EMPTY;
  #lease: Lease | undefined;
  #attempt: Attempt | undefined;
  /** What comes once the present attempt is over: the same backend on a new connection, or any but the one that failed. */
  #next: { readonly kind: "again" | "elsewhere"; readonly backend: Backend } | undefined;
  #triedFresh = false;
  #triedAnother = false;
  #status = 0;
  #outcome: Outcome | undefined;

  constructor(site: Site, { request, response, confirm }: Visit, route: ForwardRoute, caller: Caller | undefined) {
    this.#site = site;
    this.#request = request;
    this.#response = response;
    this.#confirm = confirm;
    this.#route = route;
    this.#requestId = site.requestIdOf(request);
    const member = caller?.name ?? memberOfAddress(request.socket.remoteAddress);
    const visitor = { request, route, caller, member, arrivedAt: site.clock.now() };
    this.#entrance = new Entrance(site, visitor, this);
    this.#relay = new Relay(response, this.#requestId);
  }

  begin(): void {
    this.#site.exchanges.add(this);
    this.#response.on("close", () => this.#responseClosed());
    const { maxBodyBytes } = this.#site.config.server;
    if (Number(this.#request.headers["content-length"] ?? 0) > maxBodyBytes)
      return this.#bodyRead({ kind: "too_large" });
    this.#confirm?.();
    readBody(this.#request, maxBodyBytes, this.#site.bodies, (result) => {
      try {
        this.#bodyRead(result);
      } catch (error) {
        this.broke(error);
      }
    });
  }

  /** Ends the request now: the gate stops and will wait no longer. */
  cut(): void {
    if (this.#outcome !== undefined) {
      this.#response.destroy();
      // The backend may still be answering a client that has left.
      return this.#attempt?.abandon("abort");
    }
    const error: GateError = { outcome: "draining", message: say.cut() };
    this.#next = undefined;
    this.#response.shouldKeepAlive = false;
    if (this.#relay.started) this.#breakOff(error);
    else this.#refuse(error);
    this.#entrance.leave();
    this.#attempt?.abandon("abort");
  }

  entered(lease: Lease): void {
    this.#lease = lease;
    const deployment = this.#deployment;
    const backend = deployment?.fleet.pick(this.#route.seat);
    if (backend !== undefined) return this.#try(backend, false);
    // It was ejected while the request waited.
    if (deployment !== undefined) this.#refuse(noBackend(deployment));
    this.#settle();
  }

  /** A mistake of the gate's own costs this request, and never the others. */
  broke(error: unknown): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#site.log.error("a request was dropped, by a mistake of the gate's own", { id: this.#requestId, detail });
    this.#response.destroy();
  }

  turnedAway(error: GateError): void {
    this.#refuse(error);
  }

  started(status: number, statusText: string, headers: readonly Buffer[]): void {
    const attempt = this.#attempt;
    const fleet = this.#deployment?.fleet;
    if (attempt === undefined || fleet === undefined) return;
    fleet.note(attempt.backend, evidenceOf(status));
    if (WORTH_ANOTHER_TRY.has(status) && this.#planAnother(attempt.backend)) {
      return attempt.abandon("drain", LONGEST_ERROR_MS);
    }
    this.#dropBody();
    this.#status = status;
    const { metering, waitedMs } = this.#entrance;
    const answer = this.#relay.start(status, statusText, headers, { waitedMs, more: metering?.rateLimits() });
    metering?.start(status, answer);
  }

  data(chunk: Buffer): boolean {
    const { metering } = this.#entrance;
    const seen = metering === undefined ? chunk : metering.see(chunk);
    if (seen === undefined || this.#relay.write(seen)) return true;
    this.#response.once("drain", () => this.#attempt?.resume());
    return false;
  }

  skipped(chunk: Buffer): void {
    this.#entrance.metering?.see(chunk);
  }

  ended(): void {
    const rest = this.#entrance.metering?.rest();
    if (rest !== undefined) this.#relay.write(rest);
    this.#relay.end();
    if (this.#status < 500) return this.#conclude("completed");
    this.#site.log.error("backend_failed", { backend: this.#attempt?.backend.url, status: this.#status });
    this.#conclude("backend_failed");
  }

  failed(failure: Failure, afterStart: boolean): void {
    const backend = this.#attempt?.backend;
    const fleet = this.#deployment?.fleet;
    if (backend === undefined || fleet === undefined) return;
    if (afterStart && this.#relay.started) {
      // undici misses the body of a 304 that tells the length which a 200 would have.
      return this.#status === 304 ? this.ended() : this.#failedInStream(failure);
    }
    if (failure.kind === "broken" && failure.stale && !this.#triedFresh) {
      this.#triedFresh = true;
      this.#next = { kind: "again", backend };
      return;
    }
    if (failure.kind === "refused") fleet.noteRefused(backend);
    else fleet.note(backend, "unreachable");
    const repeatable = failure.kind !== "broken" || this.#route.seat || this.#request.method !== "POST";
    if (failure.kind !== "timeout" && repeatable && this.#planAnother(backend)) return;
    const outcome = failure.kind === "timeout" ? "backend_timeout" : "backend_failed";
    this.#site.log.error(outcome, say.failureFacts(backend.url, failure));
    this.#refuse({ outcome, message: say.failed(this.#deploymentName, failure) });
  }

  over(): void {
    const next = this.#next;
    const left = this.#attempt?.backend;
    if (left !== undefined) this.#deployment?.leftBackend(left);
    this.#next = undefined;
    this.#attempt = undefined;
    if (next === undefined || this.#outcome !== undefined) return this.#settle();
    if (next.kind === "again") return this.#try(next.backend, true);
    // Looked for anew: what was free when the first one failed may have been taken since.
    const backend = this.#deployment?.fleet.pick(this.#route.seat, next.backend);
    if (backend !== undefined) return this.#try(backend, false);
    this.#refuse({ outcome: "backend_failed", message: say.noOther(this.#deploymentName) });
    this.#settle();
  }

  #bodyRead(result: BodyResult): void {
    switch (result.kind) {
      case "aborted":
        return this.#conclude("client_closed");
      case "too_large":
        return this.#refuse({
          outcome: "request_too_large",
          message: say.tooLarge(this.#site.config.server.maxBodyBytes),
        });
      case "no_room":
        return this.#refuse({ outcome: "queue_full", message: say.noRoom(), retryAfterMs: 1_000 });
      case "complete":
        this.#body = result.body;
        // The gate may have stopped while the body came.
        return this.#outcome === undefined ? this.#entrance.enter(result.body) : this.#dropBody();
    }
  }

  #try(backend: Backend, fresh: boolean): void {
    const { clock } = this.#site;
    const timeouts = this.#deployment?.config.timeouts;
    if (timeouts === undefined) return;
    this.#attempt = new Attempt(this, { backend, clock, timeouts, fresh, seated: this.#route.seat });
    this.#attempt.send(this.#outgoing(backend));
  }

  #outgoing(backend: Backend): AttemptRequest {
    const { method = "GET", url = "/", rawHeaders, headers, socket } = this.#request;
    const { metering } = this.#entrance;
    const flat = requestHeaders(rawHeaders, {
      requestId: this.#requestId,
      remoteAddress: memberOfAddress(socket.remoteAddress),
      host: headers.host,
      via: this.#site.via,
      backendKey: backend.apiKey,
      forwardCredentials: this.#deployment?.config.forwardClientCredentials ?? false,
      identityHeader: this.#site.auth.identityHeader,
      uncompressed: metering?.metered ?? false,
    });
    flat.push("host", backend.host);
    return { method, path: url, headers: flat, body: metering?.outgoing(this.#body, backend) ?? this.#body };
  }

  /** Plans one try elsewhere. False if there is no elsewhere or it was tried before. */
  #planAnother(failed: Backend): boolean {
    if (this.#triedAnother) return false;
    if (this.#deployment?.fleet.pick(this.#route.seat, failed) === undefined) return false;
    this.#triedAnother = true;
    this.#next = { kind: "elsewhere", backend: failed };
    return true;
  }

  #failedInStream(failure: Failure): void {
    if (failure.kind === "unread") {
      this.#relay.cutOff();
      return this.#conclude("client_closed");
    }
    const url = this.#attempt?.backend.url ?? "";
    this.#site.log.error("backend_broke_stream", say.failureFacts(url, failure));
    this.#breakOff({ outcome: "backend_broke_stream", message: say.failed(this.#deploymentName, failure) });
  }

  #breakOff(error: GateError): void {
    this.#relay.breakOff(this.#route.surface, { ...error, status: 502, requestId: this.#requestId });
    this.#conclude(error.outcome);
  }

  #responseClosed(): void {
    if (this.#outcome === undefined) this.#clientGone();
    this.#checkOver();
  }

  #clientGone(): void {
    this.#next = undefined;
    this.#conclude("client_closed");
    this.#entrance.leave();
    this.#attempt?.abandon(this.#route.seat ? this.#attempt.backend.onClientDisconnect : "abort");
  }

  #refuse(error: GateError): void {
    if (this.#outcome !== undefined) return;
    this.#conclude(error.outcome);
    replyError(this.#response, error, {
      surface: this.#route.surface,
      requestId: this.#requestId,
      waitedMs: this.#entrance.waitedMs,
      after: (delay, run) => this.#site.clock.after(delay, run),
    });
  }

  #conclude(outcome: Outcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    (this.#deployment?.outcomes ?? this.#site.outcomes).add(outcome);
    // Without a lease it has never reached a backend.
    if (this.#lease === undefined) this.#entrance.metering?.settle("unsent");
    this.#dropBody();
  }

  /** The backend is done with it: the seat is free. */
  #settle(): void {
    this.#entrance.metering?.settle(this.#ended);
    this.#lease?.settle(endingOf(this.#outcome));
    this.#checkOver();
  }

  /** Over: the client has its answer or has gone, and no seat is held. */
  #checkOver(): void {
    if (this.#response.closed && this.#lease?.settled !== false) this.#site.exchanges.delete(this);
  }

  #dropBody(): void {
    this.#site.bodies.give(this.#body.length);
    this.#body = EMPTY;
  }

  get #deployment(): Deployment | undefined {
    return this.#entrance.deployment;
  }

  get #deploymentName(): string {
    return this.#deployment?.config.name ?? "";
  }

  /** How it ended, as far as its cost goes. */
  get #ended(): Ended {
    if (this.#outcome === "no_backend") return "unsent";
    if (this.#relay.started && this.#status < 400) return this.#outcome === "completed" ? "complete" : "cut";
    return this.#outcome === "client_closed" || this.#outcome === "draining" ? "abandoned" : "failed";
  }
}
