import type { IncomingHttpHeaders } from "node:http";

import type { EpochMs, Ms } from "../../core/units.ts";
import type { AnswerHead } from "../load/types.ts";

/** Reads how an answer begins. `timeScale`: how many milliseconds of scenario time are one of the server's. */
export function readHead(status: number, headers: IncomingHttpHeaders, timeScale: number): AnswerHead {
  const retryAfterMs = readRetryAfter(headers);
  const shouldRetry = textOf(headers["x-should-retry"]);
  return {
    status,
    outcome: textOf(headers["x-headgate-outcome"]) ?? "",
    queueMs: (numberOf(headers["x-headgate-queue-ms"]) ?? 0) * timeScale,
    retryAfterMs: retryAfterMs === undefined ? undefined : retryAfterMs * timeScale,
    shouldRetry: shouldRetry === "true" ? true : shouldRetry === "false" ? false : undefined,
  };
}

/** Milliseconds are finer than seconds. A date counts from the server's own, so that no clocks are compared. */
function readRetryAfter(headers: IncomingHttpHeaders): Ms | undefined {
  const exact = numberOf(headers["retry-after-ms"]);
  if (exact !== undefined) return exact;
  const seconds = numberOf(headers["retry-after"]);
  if (seconds !== undefined) return seconds * 1_000;
  const wait = dateOf(headers["retry-after"]) - dateOf(headers["date"]);
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** NaN for what is no date of HTTP (RFC 9110 §5.6.7); JavaScript takes `-5` for one. */
function dateOf(header: string | string[] | undefined): EpochMs {
  const text = textOf(header) ?? "";
  return /^[A-Z][a-z]+, /.test(text) ? Date.parse(text) : Number.NaN;
}

function numberOf(header: string | string[] | undefined): number | undefined {
  const text = textOf(header);
  return text !== undefined && /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" ? header.trim() : header?.[0]?.trim();
}
