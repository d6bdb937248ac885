import { describe, expect, test } from "vitest";

import { endingOf, type Outcome, OUTCOMES } from "./outcome.ts";

const ALL = Object.keys(OUTCOMES) as Outcome[];

describe("the outcomes", () => {
  test("are these, with these statuses, codes, faults and levels", () => {
    const rows = ALL.map((outcome) => {
      const { status, code, fault, logLevel } = OUTCOMES[outcome];
      return [outcome, status ?? "-", code ?? "-", fault, logLevel].join(" ");
    });
    expect(rows.join("\n")).toMatchInlineSnapshot(`
      "completed - - none debug
      unauthenticated 401 invalid_api_key caller info
      forbidden 403 model_not_allowed caller info
      unknown_model 404 model_not_found caller info
      invalid_request 400 invalid_request caller info
      request_too_large 413 request_too_large caller info
      input_too_long 400 context_length_exceeded caller info
      rate_limited 429 rate_limit_exceeded limit info
      token_limited 429 token_limit_exceeded limit info
      concurrency_limited 429 concurrency_limit_exceeded limit info
      capacity_reserved 429 capacity_reserved limit info
      queue_full 503 server_is_overloaded server warn
      queue_timeout 503 queue_timeout server warn
      no_backend 503 backend_unavailable server error
      draining 503 shutting_down server info
      backend_failed 502 backend_failed server error
      backend_timeout 504 backend_timeout server error
      backend_broke_stream - backend_failed server error
      client_closed - - none debug"
    `);
  });

  test("of a limit are 429, and of the gate's or a backend's state 503", () => {
    const withStatus = (status: number): Outcome[] => ALL.filter((outcome) => OUTCOMES[outcome].status === status);
    expect(withStatus(429)).toEqual(ALL.filter((outcome) => OUTCOMES[outcome].fault === "limit"));
    expect(withStatus(503)).toEqual(["queue_full", "queue_timeout", "no_backend", "draining"]);
  });

  test("that a caller has to act on are client errors, and those that an operator has to act on are not", () => {
    for (const outcome of ALL) {
      const { status, fault } = OUTCOMES[outcome];
      if (status === undefined) continue;
      expect([outcome, status < 500]).toEqual([outcome, fault !== "server"]);
    }
  });

  test("with a status of the gate's have a code, and codes are words", () => {
    for (const outcome of ALL.filter((each) => OUTCOMES[each].status !== undefined)) {
      expect(OUTCOMES[outcome].code).toMatch(/^[a-z_]+$/);
    }
  });
});

describe("the ending of a lease", () => {
  test("is the outcome where a request with a seat can have it", () => {
    const endings = ALL.filter((outcome) => endingOf(outcome) === outcome);
    expect(endings).toEqual([
      "completed",
      "no_backend",
      "draining",
      "backend_failed",
      "backend_timeout",
      "backend_broke_stream",
      "client_closed",
    ]);
  });

  test("is abandoned for any other outcome and for none", () => {
    expect(endingOf("unknown_model")).toBe("abandoned");
    expect(endingOf("queue_full")).toBe("abandoned");
    expect(endingOf(undefined)).toBe("abandoned");
  });
});
