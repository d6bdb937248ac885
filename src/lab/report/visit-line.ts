import type { Visit } from "../load/types.ts";

/**
 * One request as one line of JSON, without the line's end. Times end in `_ms` and are scenario time since the run began;
 * what did not happen is null. Tokens are null where nobody counted them.
 */
export function visitLine(visit: Visit, phaseName: string): string {
  return JSON.stringify({
    id: visit.id,
    task: visit.task,
    attempt: visit.attempt,
    consumer: visit.consumer,
    phase: phaseName,
    due_ms: known(visit.dueAt),
    planned_ms: known(visit.plannedAt),
    sent_ms: known(visit.sentAt),
    status: known(visit.status),
    outcome: visit.outcome,
    ending: visit.ending,
    head_ms: known(visit.headAt),
    first_token_ms: known(visit.firstTokenAt),
    last_token_ms: known(visit.lastTokenAt),
    end_ms: known(visit.endAt),
    queue_ms: known(visit.queueMs),
    retry_after_ms: known(visit.retryAfterMs),
    tokens_in: known(visit.inputTokens),
    tokens_out: known(visit.outputTokens),
  });
}

/** To the microsecond; more digits would be of no use to anybody and double the file. */
function known(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value * 1_000) / 1_000 : null;
}
