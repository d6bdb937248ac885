import { WHO } from "../who.ts";
import type { LogFacts } from "../../contracts/log.ts";
import type { Refusal } from "../../core/outcome.ts";
import { POOL } from "../../core/shares/types.ts";
import type { Bytes, Ms } from "../../core/units.ts";
import type { AdmissionRefusal } from "../../engine/admission/types.ts";
import type { Refused } from "../../engine/gate.ts";
import { printable } from "../http/printable.ts";
import type { Ceiling } from "../http/rate-limit-headers.ts";
import type { GateError } from "../http/reply.ts";
import type { Failure } from "./attempt.ts";

/*
 * What the gate tells a client. Each says that it is the gate that speaks, which rule, the limit and what was used.
 * None speaks of an exceeded quota: some clients stop for good on those words.
 */

export interface RefusalFacts {
  readonly deployment: string;
  readonly seat: boolean;
  readonly seats: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly maxWaiting: number;
}

export function refused(refusal: Refused, facts: RefusalFacts): string {
  return `${WHO} ${why(refusal.outcome, refusal.waitedMs, facts)}`;
}

function why(outcome: Refusal, waitedMs: Ms, facts: RefusalFacts): string {
  const { deployment, seats, inFlight, waiting, maxWaiting } = facts;
  const places = facts.seat ? `${seats} seats` : `${seats} places for requests without a seat`;
  switch (outcome) {
    case "queue_full":
      if (maxWaiting === 0)
        return `all ${places} of ${deployment} are taken, and it is set up to refuse rather than to queue.`;
      if (waiting < maxWaiting) {
        return `your own requests to ${deployment} that wait already would keep this one waiting too long (${inFlight} of ${places} taken, ${waiting} waiting).`;
      }
      return `the queue of ${deployment} is full: ${waiting} of ${maxWaiting} places are taken, in front of ${places}.`;
    case "queue_timeout":
      return `the request waited ${formatSeconds(waitedMs)} for one of ${places} of ${deployment}, as long as it may.`;
    case "no_backend":
      return `no healthy backend of ${deployment} came back while the request waited.`;
    case "draining":
      return "the gate is shutting down.";
    case "rate_limited":
    case "token_limited":
    case "concurrency_limited":
    case "capacity_reserved":
      return `${deployment} refused the request (${outcome}).`;
  }
}

/** Why a limit or a share refused a request: which, its value, what was used and asked for. */
export function limited(refusal: AdmissionRefusal, deployment: string, headers: readonly string[]): GateError {
  const { outcome, retryAfterMs, rule } = refusal;
  const message = `${WHO} ${whyLimited(refusal, deployment)}`;
  if (rule.kind !== "limit") return { outcome, message, retryAfterMs, headers };
  const { name, value, atOnce, used } = rule;
  const ceiling: Ceiling = { name, quota: value, left: Math.max(0, Math.floor(atOnce - used)) };
  if (retryAfterMs !== Infinity) return { outcome, message, retryAfterMs, headers, ceiling };
  const final: GateError = { outcome, message, isFinal: true, headers, ceiling };
  return outcome === "input_too_long" ? { ...final, param: "messages" } : final;
}

function whyLimited({ outcome, rule, waitedMs }: AdmissionRefusal, deployment: string): string {
  switch (rule.kind) {
    case "limit": {
      const { name, value, used, atOnce, requested } = rule;
      if (name === "input_tokens") {
        return `your maximum context length is ${value} tokens for ${deployment}, and the input has about ${Math.round(requested)}.`;
      }
      if (value === 0) return `your limit of 0 ${words(name)} blocks every request to ${deployment}.`;
      if (outcome === "invalid_request") {
        return `the request needs about ${Math.round(requested)} tokens, and your limit of ${value} ${words(name)} for ${deployment} never lets more than ${Math.floor(atOnce)} through at once.`;
      }
      if (outcome === "token_limited") {
        const left = Math.max(0, Math.floor(atOnce - used));
        return `your limit of ${value} ${words(name)} for ${deployment} has ${left} left at present, and the request needs about ${Math.round(requested)}.`;
      }
      const burst = name === "concurrent_requests" || atOnce >= value ? "" : `, ${Math.floor(atOnce)} of them at once,`;
      return `your limit of ${value} ${words(name)} for ${deployment}${burst} is used up (${Math.round(used)} used).`;
    }
    case "share":
      return `${deployment} is used above its threshold, and ${rule.share === POOL ? "the pool that you share" : `the reservation of ${rule.share}`} gives you ${Math.round(rule.perMinute)} ${rule.unit} per minute at present, which are used up.`;
    case "queue":
      return outcome === "queue_timeout"
        ? `the request waited ${formatSeconds(waitedMs)} for its share of ${deployment}, as long as it may.`
        : `your share of ${deployment} is used up, and ${rule.waiting} of ${rule.maxWaiting} that may wait for theirs do so, or you would wait too long.`;
    case "none":
      return "the gate is shutting down.";
  }
}

/** `requests_per_minute` is `requests per minute`. */
function words(name: string): string {
  return name.replaceAll("_", " ");
}

export function forbidden(deployment: string): GateError {
  return { outcome: "forbidden", param: "model", message: `${WHO} you may not use ${deployment}.` };
}

export function noBackend(deployment: string): string {
  return `${WHO} no backend of ${deployment} answers at present; it is looked for again and again.`;
}

export function unknownModel(model: string | undefined, models: readonly string[]): GateError {
  const known = models.length > 0 ? ` It serves ${models.join(", ")}.` : "";
  if (model === undefined) {
    return { outcome: "invalid_request", param: "model", message: `${WHO} the body must name a model.${known}` };
  }
  return {
    outcome: "unknown_model",
    param: "model",
    message: `${WHO} no deployment serves the model ${JSON.stringify(printable(model))}.${known}`,
  };
}

export function invalid(problem: string): string {
  return `${WHO} ${problem}.`;
}

export function tooLarge(limit: Bytes): string {
  return `${WHO} a request body may have ${limit} bytes at most.`;
}

export function noRoom(): string {
  return `${WHO} the request bodies in memory have reached their limit.`;
}

export function cut(): string {
  return `${WHO} the gate stopped before the answer was complete.`;
}

export function failed(deployment: string, failure: Failure): string {
  switch (failure.kind) {
    case "refused":
    case "unconnected":
      return `${WHO} the backend of ${deployment} could not be reached.`;
    case "broken":
      return isGarbage(failure.error)
        ? `${WHO} the backend of ${deployment} answered with something that is not valid HTTP.`
        : `${WHO} the backend of ${deployment} closed the connection before its answer was complete.`;
    case "timeout":
      return `${WHO} the backend of ${deployment} was silent for ${formatSeconds(failure.afterMs)}.`;
    case "unread":
      return `${WHO} the client did not read for ${formatSeconds(failure.afterMs)}.`;
  }
}

export function noOther(deployment: string): string {
  return `${WHO} a backend of ${deployment} failed, and no other one has a free seat.`;
}

export function failureFacts(backend: string, failure: Failure): LogFacts {
  const error = "error" in failure ? failure.error : undefined;
  const code = error !== undefined && "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { backend, failure: failure.kind, code, detail: error === undefined ? undefined : printable(error.message) };
}

/** undici's parser names what it stumbles over `HPE_…`; an answer that it will not have, `bad response`. */
function isGarbage(error: Error): boolean {
  const code = "code" in error ? String(error.code) : "";
  return code.startsWith("HPE_") || code === "UND_ERR_HEADERS_OVERFLOW" || error.message === "bad response";
}

function formatSeconds(duration: Ms): string {
  return `${(duration / 1_000).toFixed(duration < 10_000 ? 1 : 0)}s`;
}
