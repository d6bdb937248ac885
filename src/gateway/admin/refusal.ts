/** Why the admin listener refuses. `error.code` of its answers. */
export type AdminErrorCode =
  | "invalid_request"
  | "invalid_token"
  | "host_not_allowed"
  | "origin_not_allowed"
  | "not_found"
  | "unknown_consumer"
  | "method_not_allowed"
  | "request_too_large"
  | "unsupported_media_type"
  | "invalid_configuration"
  | "internal_error";

const STATUS: Readonly<Record<AdminErrorCode, number>> = {
  invalid_request: 400,
  invalid_token: 401,
  host_not_allowed: 403,
  origin_not_allowed: 403,
  not_found: 404,
  unknown_consumer: 404,
  method_not_allowed: 405,
  request_too_large: 413,
  unsupported_media_type: 415,
  invalid_configuration: 422,
  internal_error: 500,
};

/** One refusal, ready to be answered. */
export interface AdminRefusal {
  readonly code: AdminErrorCode;
  readonly status: number;
  /** What is wrong and what to do, in one or two sentences. */
  readonly message: string;
}

/** A refusal with the status that belongs to its code. */
export function refusal(code: AdminErrorCode, message: string): AdminRefusal {
  return { code, status: STATUS[code], message };
}
