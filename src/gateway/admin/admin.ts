import type { Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { AdminConfig } from "../../config/types.ts";
import type { Clock } from "../../contracts/clock.ts";
import { type Log, SILENT_LOG } from "../../contracts/log.ts";
import type { Ms } from "../../core/units.ts";
import { systemClock } from "../../engine/clock.ts";
import { Failures } from "../auth/failures.ts";
import { memberOfAddress } from "../http/address.ts";
import { printable } from "../http/printable.ts";
import { createListener, type Visit } from "../server.ts";
import { answerPage } from "./answer.ts";
import { readNothing } from "./body.ts";
import { Guard } from "./guard.ts";
import { isLoopback } from "./host.ts";
import { methodsOf, pageOf, PATHS } from "./pages.ts";
import { type AdminErrorCode, type AdminRefusal, refusal } from "./refusal.ts";
import { refuse } from "./reply.ts";
import type { AdminSource } from "./source.ts";

/** How long answers may take to reach their clients when the listener closes. */
const CLOSE_AFTER_MS: Ms = 1_000;
/** Refusals that an operator should hear of: somebody tries to get in, or has set something up wrongly. */
const SUSPICIOUS: ReadonlySet<AdminErrorCode> = new Set(["invalid_token", "host_not_allowed", "origin_not_allowed"]);

export interface AdminOptions {
  readonly clock?: Clock;
  readonly log?: Log;
  /** The known name that an unknown one was most likely meant to be. */
  readonly suggest?: (name: string, known: Iterable<string>) => string | undefined;
}

/** Where operators reach the gate. */
export interface Admin {
  /** Resolves once it takes requests. Rejects if it cannot listen there. */
  listen(): Promise<AddressInfo>;
  /** Takes a new token at once. Returns, in words, what waits for a restart. Throws a `RangeError` as `createAdmin` does. */
  reconfigure(config: AdminConfig | undefined): readonly string[];
  /** Takes no more requests, and ends those that are there within a second. Resolves when nothing is left. */
  close(): Promise<void>;
}

/**
 * Builds the admin listener; it does not listen yet. Throws a `RangeError` where the address is reached from other
 * machines and there is no token, and for a token that no header can carry.
 */
export function createAdmin(config: AdminConfig, source: AdminSource, options: AdminOptions = {}): Admin {
  return new HttpAdmin(config, source, options);
}

class HttpAdmin implements Admin {
  /** What it runs on: the address never changes, the token may. */
  #config: AdminConfig;
  #guard: Guard;
  #address: AddressInfo | undefined;
  readonly #source: AdminSource;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #suggest: NonNullable<AdminOptions["suggest"]>;
  readonly #server: Server;
  /** So that no address can fill the log. */
  readonly #failures: Failures = new Failures();

  constructor(config: AdminConfig, source: AdminSource, options: AdminOptions) {
    this.#config = config;
    this.#guard = new Guard(config);
    this.#source = source;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? SILENT_LOG;
    this.#suggest = options.suggest ?? (() => undefined);
    this.#server = createListener((visit) => {
      this.#handle(visit).catch((error: unknown) => this.#fail(visit.response, error));
    }, this.#clock);
  }

  listen(): Promise<AddressInfo> {
    const { host, port } = this.#config;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        const address = this.#server.address();
        if (address === null || typeof address === "string") return reject(new Error("not listening on a TCP port"));
        this.#address = address;
        this.#guard = this.#guardOf(this.#config);
        resolve(address);
      });
    });
  }

  reconfigure(config: AdminConfig | undefined): readonly string[] {
    const { host, port } = this.#config;
    // Whoever reaches it now must not get in without a token before the restart that would lock them out.
    const token = config?.token ?? (config === undefined || !isLoopback(host) ? this.#config.token : undefined);
    const next: AdminConfig = { host, port, ...(token !== undefined && { token }) };
    this.#guard = this.#guardOf(next);
    this.#config = next;
    if (config === undefined) return ["admin is gone: its listener closes with a restart"];
    return [
      ...(config.host === host ? [] : [`admin.host ${host} → ${config.host}`]),
      ...(config.port === port ? [] : [`admin.port ${port} → ${config.port}`]),
    ];
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const cancel = this.#clock.after(CLOSE_AFTER_MS, () => this.#server.closeAllConnections());
    await closed;
    cancel();
  }

  /** With the port that it really listens on. */
  #guardOf(config: AdminConfig): Guard {
    return new Guard({ ...config, port: this.#address?.port ?? config.port });
  }

  async #handle({ request, response, confirm }: Visit): Promise<void> {
    const target = request.url ?? "/";
    const guard = this.#guard;
    const foreign = target.startsWith("/")
      ? guard.judgeOrigin(request)
      : refusal("invalid_request", "The request target must be a path.");
    if (foreign !== undefined) return this.#refuse(response, foreign);
    const page = pageOf(target);
    const stranger = page?.kind === "healthz" ? undefined : guard.judgeToken(request);
    if (stranger !== undefined) {
      return this.#refuse(response, stranger, { "www-authenticate": 'Bearer realm="headgate admin"' });
    }
    if (page === undefined) {
      return this.#refuse(response, refusal("not_found", `There is no such page; there are ${PATHS.join(", ")}.`));
    }
    const allow = methodsOf(page);
    if (!allow.includes(request.method ?? "")) {
      const wrong = refusal("method_not_allowed", `This page takes ${allow.join(" and ")} only.`);
      return this.#refuse(response, wrong, { allow: allow.join(", ") });
    }
    if (page.kind === "reload") {
      const forged = guard.judgeWrite(request);
      if (forged !== undefined) return this.#refuse(response, forged);
      const unexpected = await readNothing(request, confirm);
      if (unexpected === "aborted") return;
      if (unexpected !== undefined) return this.#refuse(response, unexpected);
    }
    await answerPage(page, response, { source: this.#source, suggest: this.#suggest, clock: this.#clock });
  }

  #refuse(response: ServerResponse, why: AdminRefusal, headers: Readonly<Record<string, string>> = {}): void {
    const { method, url, socket } = response.req;
    const from = socket.remoteAddress ?? "unknown";
    const facts = { code: why.code, from, request: printable(`${method} ${url}`) };
    const isNews = SUSPICIOUS.has(why.code) && this.#failures.note(memberOfAddress(from), this.#clock.now()) === 0;
    if (isNews) this.#log.warn("admin: refused", facts);
    else this.#log.debug("admin: refused", facts);
    refuse(response, why, { clock: this.#clock, headers });
  }

  /** A mistake of ours. It costs this answer, not the process. */
  #fail(response: ServerResponse, error: unknown): void {
    this.#log.error("admin: a page failed", { error: error instanceof Error ? error.stack : String(error) });
    if (response.headersSent || response.destroyed) response.destroy();
    else
      refuse(response, refusal("internal_error", "The gate made a mistake; its log says which."), {
        clock: this.#clock,
      });
  }
}
