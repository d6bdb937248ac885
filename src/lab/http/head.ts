import type { IncomingHttpHeaders } from "node:http";

import type { Ms } from "../../core/units.ts";
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
  const wait = Date.parse(textOf(headers["retry-after"]) ?? "") - Date.parse(textOf(headers["date"]) ?? "");
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

function numberOf(header: string | string[] | undefined): number | undefined {
  const text = textOf(header);
  return text !== undefined && /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" ? header.trim() : header?.[0]?.trim();
}
