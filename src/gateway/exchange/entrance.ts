import type { IncomingMessage } from "node:http";

import { estimateTokens } from "../../core/cost/estimate.ts";
import type { PolicyHolder } from "../../core/policy/types.ts";
import { POOL } from "../../core/shares/types.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { AdmissionRefusal, AdmissionVerdict, AdmissionWaiter, Charge } from "../../engine/admission/types.ts";
import type { GateOccupancy, Refused, Verdict, Waiter } from "../../engine/gate.ts";
import type { Lease } from "../../engine/lease.ts";
import type { Allotment } from "../allotment.ts";
import type { Caller } from "../auth/index.ts";
import type { Deployment } from "../deployment.ts";
import { canonicalPath } from "../http/path.ts";
import type { GateError } from "../http/reply.ts";
import type { ForwardRoute } from "../route.ts";
import type { Site } from "../site.ts";
import { type Asked, takeIn } from "./intake.ts";
import * as say from "./messages.ts";
import { Metering, type Payer } from "./metering.ts";

/** Who asks, and how. */
export interface Visitor {
  readonly request: IncomingMessage;
  readonly route: ForwardRoute;
  readonly caller: Caller | undefined;
  /** Who pays: the consumer, or the remote address. */
  readonly member: string;
  readonly arrivedAt: Ms;
}

/** Hears how it went: one of the two, once, unless the visitor left before. */
export interface EntranceListener {
  entered(lease: Lease): void;
  turnedAway(error: GateError): void;
  /** A mistake of the gate's own. */
  broke(error: unknown): void;
}

/** The way of one request from its body to its seat: what it asks for, whether it may, its share, its turn. */
export class Entrance implements Waiter, Payer {
  readonly #site: Site;
  readonly #visitor: Visitor;
  readonly #listener: EntranceListener;
  #deployment: Deployment | undefined;
  #metering: Metering | undefined;
  /** Where it waits: for its share, or for a seat. */
  #place: { leave(): boolean } | undefined;
  #asked: Asked | undefined;
  #hasLeft = false;
  #bodyBytes = 0;
  #waitedMs: Ms = 0;

  constructor(site: Site, visitor: Visitor, listener: EntranceListener) {
    this.#site = site;
    this.#visitor = visitor;
    this.#listener = listener;
  }

  /** `undefined` until it is known. */
  get deployment(): Deployment | undefined {
    return this.#deployment;
  }

  /** `undefined` where nobody counts what it costs. */
  get metering(): Metering | undefined {
    return this.#metering;
  }

  get waitedMs(): Ms {
    return this.#waitedMs;
  }

  /** Who pays, as the configuration has it now: it may have changed since the request came. */
  get holder(): PolicyHolder {
    const { caller, member } = this.#visitor;
    return caller === undefined ? { name: member, groups: [] } : this.#site.auth.current(caller);
  }

  enter(body: Buffer): void {
    const { router } = this.#site;
    const { caller, request, route } = this.#visitor;
    this.#bodyBytes = body.length;
    // Who is refused in any case need not be understood first.
    const { sole } = router;
    if (route.seat && sole?.allotment === undefined && sole?.gate.refusesAll === true) {
      return this.#ask({ deployment: sole, facts: undefined }, body);
    }
    const intake = takeIn({ router, request, body, caller, json: route.json });
    if (intake.kind === "refused") return this.#listener.turnedAway(intake.error);
    this.#ask(intake.asked, body);
  }

  /** The client has gone. */
  leave(): void {
    this.#hasLeft = true;
    this.#place?.leave();
    this.#place = undefined;
  }

  admitted(lease: Lease): void {
    this.#place = undefined;
    this.#waitedMs += lease.waitedMs;
    this.#listener.entered(lease);
  }

  refused(refusal: Refused): void {
    this.#place = undefined;
    this.#waitedMs += refusal.waitedMs;
    const { route } = this.#visitor;
    const gate = route.seat ? this.#deployment?.gate : this.#deployment?.lane;
    const { seats, inFlight, waiting, maxWaiting } = gate?.occupancy ?? NOTHING;
    const facts = { deployment: this.#name, seat: route.seat, seats, inFlight, waiting, maxWaiting };
    this.#listener.turnedAway({
      outcome: refusal.outcome,
      message: say.refused(refusal, facts),
      retryAfterMs: refusal.outcome === "no_backend" ? probeMs(this.#deployment) : refusal.retryAfterMs,
      ceiling: { name: "concurrency", quota: seats, left: Math.max(0, seats - inFlight) },
    });
  }

  #ask(asked: Asked, body: Buffer): void {
    const { deployment } = asked;
    const { caller, route } = this.#visitor;
    this.#deployment = deployment;
    this.#asked = asked;
    if (!deployment.admits(caller && this.#site.auth.current(caller)))
      return this.#listener.turnedAway(say.forbidden(this.#name));
    if (deployment.fleet.healthy === 0) return this.#listener.turnedAway(noBackend(deployment));
    if (deployment.allotment === undefined || !route.seat) return this.#queue(POOL);
    this.#meter(deployment.allotment, body);
  }

  #meter(allotment: Allotment, body: Buffer): void {
    const { member, request } = this.#visitor;
    const metering = new Metering({
      allotment,
      consumer: member,
      payer: this,
      facts: this.#asked?.facts,
      bodyBytes: body.length,
      path: canonicalPath(request.url ?? "/"),
    });
    this.#metering = metering;
    const limit = metering.policy.inputTokens?.value;
    const isRead = limit !== undefined && this.#asked?.facts !== undefined;
    const count = isRead ? this.#deployment?.inputCounter?.count(metering.estimate.input, limit, body) : undefined;
    if (count === undefined) return this.#claim(allotment, metering);
    count
      .then((input) => {
        if (this.#hasLeft) return;
        if (input !== undefined) metering.correctInput(input);
        this.#claim(allotment, metering);
      })
      .catch((error: unknown) => this.#listener.broke(error));
  }

  #claim(allotment: Allotment, metering: Metering): void {
    const { share } = metering;
    const waiter: AdmissionWaiter = {
      admitted: (charge) => this.#charged(charge, share),
      refused: (refusal) => this.#limited(refusal),
    };
    this.#obey(allotment.admission.enter(metering.claim(this.#deadline), waiter), share);
  }

  #obey(verdict: AdmissionVerdict, share: string): void {
    switch (verdict.kind) {
      case "admit":
        return this.#charged(verdict.charge, share);
      case "wait":
        this.#place = verdict.place;
        return;
      case "refuse":
        return this.#limited(verdict);
    }
  }

  #charged(charge: Charge, share: string): void {
    this.#place = undefined;
    this.#waitedMs = charge.waitedMs;
    this.#metering?.charged(charge);
    this.#queue(share);
  }

  #limited(refusal: AdmissionRefusal): void {
    this.#place = undefined;
    this.#waitedMs = refusal.waitedMs;
    this.#deployment?.gate.noteRefused(this.#visitor.member);
    this.#listener.turnedAway(say.limited(refusal, this.#name, this.#metering?.rateLimits() ?? []));
  }

  /** Asks for a seat, or for a place in the lane. */
  #queue(share: string): void {
    const deployment = this.#deployment;
    if (deployment === undefined) return;
    const { route, member } = this.#visitor;
    const gate = route.seat ? deployment.gate : deployment.lane;
    const request = { share, member, tokens: this.#heldTokens, bytes: this.#bodyBytes, deadline: this.#deadline };
    this.#follow(gate.enter(request, this));
  }

  #follow(verdict: Verdict): void {
    switch (verdict.kind) {
      case "admit":
        return this.admitted(verdict.lease);
      case "wait":
        this.#place = verdict.place;
        return;
      case "refuse":
        return this.refused(verdict);
    }
  }

  /** Tokens that it will hold in the model's memory, where those are capped. */
  get #heldTokens(): Tokens {
    const { facts } = this.#asked ?? {};
    if (facts === undefined || !this.#visitor.route.seat) return 0;
    if (this.#deployment?.config.maxInflightTokens === Infinity) return 0;
    return estimateTokens(facts.measure, facts.maxOutputTokens);
  }

  get #deadline(): Ms {
    const { arrivedAt, request, route } = this.#visitor;
    return arrivedAt + Math.min(this.#deployment?.maxWaitMs(route.seat) ?? 0, clientPatienceMs(request));
  }

  get #name(): string {
    return this.#deployment?.config.name ?? "";
  }
}

const NOTHING: GateOccupancy = { seats: 0, inFlight: 0, waiting: 0, maxWaiting: 0 };

/** No healthy backend; the next probe may find one. */
export function noBackend(deployment: Deployment): GateError {
  return {
    outcome: "no_backend",
    message: say.noBackend(deployment.config.name),
    retryAfterMs: probeMs(deployment),
  };
}

function probeMs(deployment: Deployment | undefined): Ms {
  return Math.min(30_000, ...(deployment?.fleet.backends.map(({ health }) => health.backoffMs) ?? []));
}

/** OpenAI's and Anthropic's clients say after how many seconds they give up. */
function clientPatienceMs(request: IncomingMessage): Ms {
  const seconds = Number(request.headers["x-stainless-timeout"]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : Infinity;
}
