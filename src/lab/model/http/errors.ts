import type { ServerResponse } from "node:http";

import type { ErrorDialect } from "../surfaces/types.ts";

type ErrorStatus = 400 | 404 | 405 | 413 | 500 | 503;

export interface ErrorFacts {
  readonly status: ErrorStatus;
  readonly message: string;
  /** A stable word for programs. */
  readonly code?: string;
  /** The field of the body that is wrong. */
  readonly param?: string | undefined;
}

const OPENAI_TYPES = {
  400: "invalid_request_error",
  404: "invalid_request_error",
  405: "invalid_request_error",
  413: "invalid_request_error",
  500: "server_error",
  503: "server_error",
} as const satisfies Record<ErrorStatus, string>;

const ANTHROPIC_TYPES = {
  400: "invalid_request_error",
  404: "not_found_error",
  405: "invalid_request_error",
  413: "request_too_large",
  500: "api_error",
  503: "overloaded_error",
} as const satisfies Record<ErrorStatus, string>;

const LLAMA_TYPES = {
  400: "invalid_request_error",
  404: "not_found_error",
  405: "invalid_request_error",
  413: "invalid_request_error",
  500: "server_error",
  503: "unavailable_error",
} as const satisfies Record<ErrorStatus, string>;

/** Answers with a JSON value and its length. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

/** Answers with an error in the words that the client's library expects. */
export function sendError(response: ServerResponse, dialect: ErrorDialect, facts: ErrorFacts): void {
  sendJson(response, facts.status, errorBody(dialect, facts));
}

function errorBody(dialect: ErrorDialect, { status, message, code, param }: ErrorFacts): object {
  switch (dialect) {
    case "openai":
      return { error: { message, type: OPENAI_TYPES[status], param: param ?? null, code: code ?? null } };
    case "anthropic":
      return { type: "error", error: { type: ANTHROPIC_TYPES[status], message } };
    case "ollama":
      return { error: message };
    case "llama":
      return { error: { code: status, message, type: LLAMA_TYPES[status] } };
  }
}
