/**
 * How a request ended. One closed list for HTTP status, error code, metrics, logs and tests: a new outcome does not
 * compile until every table that is keyed by it has a row.
 */
export type Outcome =
  | "completed"
  | "unauthenticated"
  | "forbidden"
  | "unknown_model"
  | "invalid_request"
  | "request_too_large"
  | "input_too_long"
  | "rate_limited"
  | "token_limited"
  | "concurrency_limited"
  | "capacity_reserved"
  | "queue_full"
  | "queue_timeout"
  | "no_backend"
  | "draining"
  | "backend_failed"
  | "backend_timeout"
  | "backend_broke_stream"
  | "client_closed";

/** Who has to act on an outcome: nobody, the caller, the operator's limits, or the operator's servers. */
type OutcomeFault = "none" | "caller" | "limit" | "server";

/** What the outside world sees of one outcome. */
export interface OutcomeFacts {
  /** HTTP status of the gate's own answer. `undefined` where the backend's status stands. */
  readonly status: number | undefined;
  /** `error.code` of the answer. `undefined` where the gate writes no error. */
  readonly code: string | undefined;
  readonly fault: OutcomeFault;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

export const OUTCOMES: Readonly<Record<Outcome, OutcomeFacts>> = {
  completed: { status: undefined, code: undefined, fault: "none", logLevel: "debug" },
  unauthenticated: { status: 401, code: "invalid_api_key", fault: "caller", logLevel: "info" },
  forbidden: { status: 403, code: "model_not_allowed", fault: "caller", logLevel: "info" },
  unknown_model: { status: 404, code: "model_not_found", fault: "caller", logLevel: "info" },
  invalid_request: { status: 400, code: "invalid_request", fault: "caller", logLevel: "info" },
  request_too_large: { status: 413, code: "request_too_large", fault: "caller", logLevel: "info" },
  input_too_long: { status: 400, code: "context_length_exceeded", fault: "caller", logLevel: "info" },
  rate_limited: { status: 429, code: "rate_limit_exceeded", fault: "limit", logLevel: "info" },
  token_limited: { status: 429, code: "token_limit_exceeded", fault: "limit", logLevel: "info" },
  concurrency_limited: { status: 429, code: "concurrency_limit_exceeded", fault: "limit", logLevel: "info" },
  capacity_reserved: { status: 429, code: "capacity_reserved", fault: "limit", logLevel: "info" },
  queue_full: { status: 503, code: "server_is_overloaded", fault: "server", logLevel: "warn" },
  queue_timeout: { status: 503, code: "queue_timeout", fault: "server", logLevel: "warn" },
  no_backend: { status: 503, code: "backend_unavailable", fault: "server", logLevel: "error" },
  draining: { status: 503, code: "shutting_down", fault: "server", logLevel: "info" },
  backend_failed: { status: 502, code: "backend_failed", fault: "server", logLevel: "error" },
  backend_timeout: { status: 504, code: "backend_timeout", fault: "server", logLevel: "error" },
  backend_broke_stream: { status: undefined, code: "backend_failed", fault: "server", logLevel: "error" },
  client_closed: { status: undefined, code: undefined, fault: "none", logLevel: "debug" },
};

/** The outcomes that the engine itself can refuse with. */
export type Refusal = Extract<
  Outcome,
  | "queue_full"
  | "queue_timeout"
  | "no_backend"
  | "draining"
  | "rate_limited"
  | "token_limited"
  | "concurrency_limited"
  | "capacity_reserved"
>;

/** How a lease can end: every outcome that is possible once a seat was held, and `abandoned` for a holder that forgot to say. */
export type Ending =
  | Extract<
      Outcome,
      | "completed"
      | "no_backend"
      | "draining"
      | "backend_failed"
      | "backend_timeout"
      | "backend_broke_stream"
      | "client_closed"
    >
  | "abandoned";

const ENDINGS: ReadonlySet<Outcome | Ending> = new Set<Ending>([
  "completed",
  "no_backend",
  "draining",
  "backend_failed",
  "backend_timeout",
  "backend_broke_stream",
  "client_closed",
]);

/** The ending of a lease whose request had this outcome; `abandoned` where no request with a seat can have it. */
export function endingOf(outcome: Outcome | undefined): Ending {
  return outcome !== undefined && isEnding(outcome) ? outcome : "abandoned";
}

function isEnding(outcome: Outcome): outcome is Outcome & Ending {
  return ENDINGS.has(outcome);
}
