import { type Outcome, OUTCOMES } from "../../core/outcome.ts";
import type { Surface } from "../route.ts";

/** What an error says, whatever its shape. */
export interface ErrorFacts {
  readonly outcome: Outcome;
  readonly status: number;
  readonly message: string;
  readonly requestId: string;
  /** The field of the body that is wrong. */
  readonly param?: string;
}

/** The body of an error in the shape that clients of this surface parse. */
export function errorBody(surface: Surface, facts: ErrorFacts): string {
  switch (surface) {
    case "openai":
      return JSON.stringify(openAiError(facts));
    case "anthropic":
      return JSON.stringify(anthropicError(facts));
    case "ollama":
      return JSON.stringify({ error: facts.message });
  }
}

/** What ends a stream that broke after its first byte: an error event, and no mark of a good end. */
export function errorEvent(surface: Surface, framing: "sse" | "ndjson", facts: ErrorFacts): string {
  if (framing === "ndjson") return `${errorBody(surface, facts)}\n`;
  const name = surface === "anthropic" ? "event: error\n" : "";
  return `${name}data: ${errorBody(surface, facts)}\n\n`;
}

function openAiError({ outcome, status, message, param }: ErrorFacts): object {
  const { code } = OUTCOMES[outcome];
  return { error: { message, type: openAiType(status), param: param ?? null, code: code ?? null } };
}

function openAiType(status: number): string {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "service_unavailable_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

function anthropicError({ status, message, requestId }: ErrorFacts): object {
  return { type: "error", error: { type: anthropicType(status), message }, request_id: requestId };
}

function anthropicType(status: number): string {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}
