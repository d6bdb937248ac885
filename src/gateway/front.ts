import { type Caller, type Identified, refusalError } from "./auth/index.ts";
import { Exchange } from "./exchange/exchange.ts";
import { type GateError, replyError, replyJson } from "./http/reply.ts";
import { ModelList } from "./models.ts";
import { ownStatsOf } from "./own-stats.ts";
import { type Route, routeOf, type Surface } from "./route.ts";
import type { Visit } from "./server.ts";
import type { Site } from "./site.ts";
import { targetProblem } from "./target.ts";
import { WHO } from "./who.ts";

/** The models of a single backend are asked for like any other page. */
const MODELS_ROUTE = { kind: "forward", surface: "openai", seat: false, json: false } as const;

type ServedRoute = Exclude<Route, { kind: "not_allowed" }>;

const ONLY_READ: GateError = {
  outcome: "invalid_request",
  status: 405,
  message: `${WHO} this page of the gate can only be read.`,
  headers: ["allow", "GET, HEAD"],
};

/** Takes each request to where it is answered: by the gate itself, or by a backend; or to why not. */
export class Front {
  readonly #site: Site;
  readonly #models: ModelList;

  constructor(site: Site) {
    this.#site = site;
    this.#models = new ModelList(site);
  }

  receive(visit: Visit): void {
    const { request, response } = visit;
    if (this.#site.draining) response.shouldKeepAlive = false;
    const problem = targetProblem(request, this.#site.via);
    if (problem !== undefined) return this.#refuse(visit, "openai", { outcome: "invalid_request", ...problem });
    const route = routeOf(request.method ?? "GET", request.url ?? "/");
    if (route.kind === "not_allowed") return this.#refuse(visit, route.surface, ONLY_READ);
    if (route.kind === "own" && route.page !== "stats") return this.#answerHealth(visit, route.page);
    const who = this.#site.auth.authenticate(request.rawHeaders, request.socket.remoteAddress);
    if (who.kind !== "pending") return this.#identified(visit, route, who);
    who.result
      .then((identified) => {
        if (!response.destroyed) this.#identified(visit, route, identified);
      })
      .catch((error: unknown) => {
        const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#site.log.error("a request was dropped, by a mistake of the gate's own", { detail });
        response.destroy();
      });
  }

  #identified(visit: Visit, route: ServedRoute, who: Identified): void {
    switch (who.kind) {
      case "known":
        return this.#serve(visit, route, who.consumer);
      case "anonymous":
        return this.#serve(visit, route, undefined);
      case "refused":
      case "throttled":
      case "unavailable":
        return this.#refuse(visit, route.surface, refusalError(who));
    }
  }

  #serve(visit: Visit, route: ServedRoute, caller: Caller | undefined): void {
    switch (route.kind) {
      case "own":
        return this.#answerStats(visit, caller);
      case "models":
        return this.#answerModels(visit, caller);
      case "forward":
        return new Exchange(this.#site, visit, route, caller).begin();
    }
  }

  #answerHealth({ request, response }: Visit, page: "healthz" | "readyz"): void {
    const { draining, router } = this.#site;
    response.setHeader("x-request-id", this.#site.requestIdOf(request));
    if (page === "healthz") return replyJson(response, 200, { status: "ok" });
    const ready = !draining && router.deployments.every(({ fleet }) => fleet.healthy > 0);
    replyJson(response, ready ? 200 : 503, { status: ready ? "ready" : "not ready" });
  }

  /** Where there are consumers, everybody sees their own row and nobody else's. */
  #answerStats({ request, response }: Visit, caller: Caller | undefined): void {
    const isOpen = this.#site.config.consumers.length === 0;
    response.setHeader("x-request-id", this.#site.requestIdOf(request));
    replyJson(
      response,
      200,
      isOpen ? this.#site.stats() : ownStatsOf(this.#site, caller, request.socket.remoteAddress),
    );
  }

  /** With a single backend the list is its own, byte for byte. */
  #answerModels(visit: Visit, caller: Caller | undefined): void {
    const { router } = this.#site;
    if (router.sole?.fleet.backends.length === 1 && router.sole.admits(caller)) {
      return new Exchange(this.#site, visit, MODELS_ROUTE, caller).begin();
    }
    visit.response.setHeader("x-request-id", this.#site.requestIdOf(visit.request));
    this.#models.reply(visit.response, caller);
  }

  #refuse({ request, response }: Visit, surface: Surface, error: GateError): void {
    const { clock, outcomes } = this.#site;
    outcomes.add(error.outcome);
    replyError(response, error, {
      surface,
      requestId: this.#site.requestIdOf(request),
      waitedMs: 0,
      after: (delay, run) => clock.after(delay, run),
    });
  }
}
