import { describe, expect, it } from "vitest";

import type { Visit } from "../load/types.ts";
import { visitLine } from "./visit-line.ts";

const SERVED: Visit = {
  id: 7,
  task: 5,
  attempt: 2,
  streamed: true,
  consumer: 'agent "a"\n',
  phase: 0,
  dueAt: 1_000,
  plannedAt: 1_050,
  sentAt: 1_050.25,
  status: 200,
  outcome: "completed",
  ending: "served",
  headAt: 1_060,
  firstTokenAt: 1_085.123_456,
  lastTokenAt: 2_300,
  endAt: 2_301,
  queueMs: 0.4,
  retryAfterMs: NaN,
  inputTokens: 116,
  outputTokens: 84,
};

describe("a request as a line", () => {
  it("has everything that is known of it", () => {
    expect(visitLine(SERVED, "steady")).toBe(
      '{"id":7,"task":5,"attempt":2,"consumer":"agent \\"a\\"\\n","phase":"steady","due_ms":1000,"planned_ms":1050,' +
        '"sent_ms":1050.25,"status":200,"outcome":"completed","ending":"served","head_ms":1060,"first_token_ms":1085.123,' +
        '"last_token_ms":2300,"end_ms":2301,"queue_ms":0.4,"retry_after_ms":null,"tokens_in":116,"tokens_out":84}',
    );
  });

  it("says null of what did not happen, and stays one line", () => {
    const line = visitLine(
      { ...SERVED, ending: "failed", headAt: NaN, firstTokenAt: NaN, outputTokens: Infinity },
      "a\nb",
    );
    expect(line).not.toContain("\n");
    expect(JSON.parse(line)).toMatchObject({
      ending: "failed",
      head_ms: null,
      first_token_ms: null,
      tokens_out: null,
      phase: "a\nb",
    });
  });
});
