import type { Dispatcher } from "undici";

import type { TimeoutsConfig } from "../../config/types.ts";
import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";
import type { Backend } from "../backend/backend.ts";
import type { Connection } from "../backend/connection.ts";

/** Why an attempt came to nothing, or to less than a whole answer. */
export type Failure =
  /** Nobody listens there. */
  | { readonly kind: "refused"; readonly error: Error }
  /** No connection, for another reason. */
  | { readonly kind: "unconnected"; readonly error: Error }
  /** The connection broke. `stale`: it had been idle before, and not a byte came back. */
  | { readonly kind: "broken"; readonly error: Error; readonly stale: boolean }
  | { readonly kind: "timeout"; readonly afterMs: Ms }
  /** The client has not read for so long that it is taken for gone. */
  | { readonly kind: "unread"; readonly afterMs: Ms };

/** Who sent the request. Hears nothing more after `failed`, `ended` or its own `abandon`, but for `over`. */
export interface AttemptListener {
  /** `headers` are the raw ones, alternating names and values. */
  started(status: number, statusText: string, headers: readonly Buffer[]): void;
  /** False: no more until `resume`. */
  data(chunk: Buffer): boolean;
  /** More of an answer that is read to its end though nobody wants it. Comes after an `abandon` to drain. */
  skipped(chunk: Buffer): void;
  ended(): void;
  failed(failure: Failure, afterStart: boolean): void;
  /** The backend's side of the request is over. Comes exactly once, last of all. */
  over(): void;
}

export interface AttemptRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: string[];
  readonly body: Buffer;
}

export interface AttemptOptions {
  readonly backend: Backend;
  readonly clock: Clock;
  readonly timeouts: TimeoutsConfig;
  /** Whether the request holds a seat. */
  readonly seated: boolean;
  /** Asks for a new connection. */
  readonly fresh: boolean;
}

/** One request on its way to one backend and back. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly backend: Backend;
  readonly #listener: AttemptListener;
  readonly #options: AttemptOptions;
  readonly #connection: Connection;
  readonly #wasUsed: boolean;
  #controller: Dispatcher.DispatchController | undefined;
  #cancelTimer: Cancel | undefined;
  #lastByteAt: Ms = 0;
  #state: "waiting" | "streaming" | "done" = "waiting";
  #hungUp = false;
  /** Nobody listens any more; what still comes is thrown away. */
  #muted = false;

  constructor(listener: AttemptListener, options: AttemptOptions) {
    this.#listener = listener;
    this.#options = options;
    this.backend = options.backend;
    this.#connection = options.backend.pool.acquire(options.fresh);
    this.#wasUsed = this.#connection.served > 0;
  }

  send(request: AttemptRequest): void {
    const { clock, timeouts } = this.#options;
    if (this.#options.seated) this.backend.inFlight += 1;
    this.backend.requests += 1;
    this.#cancelTimer = clock.after(timeouts.firstByteMs, () =>
      this.#giveUp({ kind: "timeout", afterMs: timeouts.firstByteMs }),
    );
    const { method, path, headers, body } = request;
    this.#connection.dispatch(
      { method, path: `${this.backend.prefix}${path}`, headers, body: body.length > 0 ? body : null },
      this,
    );
  }

  /** The listener takes data again. */
  resume(): void {
    this.#lastByteAt = this.#options.clock.now();
    this.#controller?.resume();
  }

  /**
   * The listener wants no more. `abort` closes the request at the backend, `drain` reads it to its end; in both cases
   * `over` follows when the backend is done with it. `withinMs`: a drain that takes longer is aborted.
   */
  abandon(how: "abort" | "drain", withinMs?: Ms): void {
    if (this.#state === "done") return;
    this.#muted = true;
    // A paused socket would never show that the backend has closed it.
    this.#controller?.resume();
    if (this.#hungUp) return;
    if (how === "drain") {
      if (withinMs === undefined) return;
      this.#cancelTimer?.();
      this.#cancelTimer = this.#options.clock.after(withinMs, () => this.abandon("abort"));
      return;
    }
    this.#hungUp = true;
    this.#cancelTimer?.();
    this.#connection.hangUp(() => this.#over());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _: unknown, statusText = ""): void {
    if (status < 200) return;
    this.#state = "streaming";
    this.#cancelTimer?.();
    this.#watchIdle();
    if (this.#muted) return;
    this.#listener.started(status, statusText, rawHeaders(controller.rawHeaders));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#lastByteAt = this.#options.clock.now();
    if (this.#muted) this.#listener.skipped(chunk);
    else if (!this.#listener.data(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#connection.served += 1;
    if (!this.#muted) this.#listener.ended();
    // After a hang-up the backend is done only when the socket has closed.
    if (!this.#hungUp) this.#over();
  }

  onResponseError(_: unknown, error: Error): void {
    if (this.#state === "done") return;
    const afterStart = this.#state === "streaming";
    this.#cancelTimer?.();
    if (!this.#muted) {
      this.#muted = true;
      this.#listener.failed(this.#failureOf(error, afterStart), afterStart);
    }
    this.#over();
  }

  #failureOf(error: Error, afterStart: boolean): Failure {
    if (this.#controller !== undefined) return { kind: "broken", error, stale: this.#wasUsed && !afterStart };
    const code = "code" in error ? error.code : undefined;
    return { kind: code === "ECONNREFUSED" ? "refused" : "unconnected", error };
  }

  #giveUp(failure: Failure): void {
    if (this.#state === "done") return;
    const afterStart = this.#state === "streaming";
    // Said first: where there is no socket yet, hanging up ends the attempt on the spot.
    if (!this.#muted) {
      this.#muted = true;
      this.#listener.failed(failure, afterStart);
    }
    this.abandon("abort");
  }

  /** One timer looks from time to time whether bytes still move; chunks only leave a time stamp. */
  #watchIdle(): void {
    const { clock, timeouts } = this.#options;
    const afterMs = timeouts.idleMs;
    this.#lastByteAt = clock.now();
    const look = (): void => {
      const silentMs = clock.now() - this.#lastByteAt;
      if (silentMs >= afterMs) {
        return this.#giveUp({ kind: this.#controller?.paused === true ? "unread" : "timeout", afterMs });
      }
      this.#cancelTimer = clock.after(afterMs - silentMs, look);
    };
    this.#cancelTimer = clock.after(afterMs, look);
  }

  #over(): void {
    if (this.#state === "done") return;
    this.#state = "done";
    this.#cancelTimer?.();
    if (this.#options.seated) this.backend.inFlight -= 1;
    this.backend.pool.release(this.#connection);
    this.#listener.over();
  }
}

/** undici hands over what it parsed; with the dispatch API that is always the raw list. */
function rawHeaders(raw: Dispatcher.DispatchController["rawHeaders"]): readonly Buffer[] {
  return Array.isArray(raw)
    ? raw.map((part: Buffer | string) => (typeof part === "string" ? Buffer.from(part, "latin1") : part))
    : [];
}
