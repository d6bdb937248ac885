import { describe, expect, test } from "vitest";

import { type Outcome, OUTCOMES } from "../../core/outcome.ts";
import { errorBody, errorEvent, type ErrorFacts } from "./errors.ts";

function facts(outcome: Outcome, more: Partial<ErrorFacts> = {}): ErrorFacts {
  return { outcome, status: OUTCOMES[outcome].status ?? 502, message: "because", requestId: "r1", ...more };
}

const REFUSALS = (Object.keys(OUTCOMES) as Outcome[]).filter((outcome) => OUTCOMES[outcome].code !== undefined);

describe("an error body", () => {
  test("has OpenAI's shape, type and code", () => {
    const bodies = REFUSALS.map((outcome) => `${outcome}: ${errorBody("openai", facts(outcome))}`);
    expect(bodies.join("\n")).toMatchInlineSnapshot(`
      "unauthenticated: {"error":{"message":"because","type":"authentication_error","param":null,"code":"invalid_api_key"}}
      forbidden: {"error":{"message":"because","type":"permission_error","param":null,"code":"model_not_allowed"}}
      unknown_model: {"error":{"message":"because","type":"invalid_request_error","param":null,"code":"model_not_found"}}
      invalid_request: {"error":{"message":"because","type":"invalid_request_error","param":null,"code":"invalid_request"}}
      request_too_large: {"error":{"message":"because","type":"invalid_request_error","param":null,"code":"request_too_large"}}
      input_too_long: {"error":{"message":"because","type":"invalid_request_error","param":null,"code":"context_length_exceeded"}}
      rate_limited: {"error":{"message":"because","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}
      token_limited: {"error":{"message":"because","type":"rate_limit_error","param":null,"code":"token_limit_exceeded"}}
      concurrency_limited: {"error":{"message":"because","type":"rate_limit_error","param":null,"code":"concurrency_limit_exceeded"}}
      capacity_reserved: {"error":{"message":"because","type":"rate_limit_error","param":null,"code":"capacity_reserved"}}
      queue_full: {"error":{"message":"because","type":"service_unavailable_error","param":null,"code":"server_is_overloaded"}}
      queue_timeout: {"error":{"message":"because","type":"service_unavailable_error","param":null,"code":"queue_timeout"}}
      no_backend: {"error":{"message":"because","type":"service_unavailable_error","param":null,"code":"backend_unavailable"}}
      draining: {"error":{"message":"because","type":"service_unavailable_error","param":null,"code":"shutting_down"}}
      backend_failed: {"error":{"message":"because","type":"api_error","param":null,"code":"backend_failed"}}
      backend_timeout: {"error":{"message":"because","type":"api_error","param":null,"code":"backend_timeout"}}
      backend_broke_stream: {"error":{"message":"because","type":"api_error","param":null,"code":"backend_failed"}}"
    `);
  });

  test("has Anthropic's shape and type", () => {
    const bodies = REFUSALS.map((outcome) => `${outcome}: ${errorBody("anthropic", facts(outcome))}`);
    expect(bodies.join("\n")).toMatchInlineSnapshot(`
      "unauthenticated: {"type":"error","error":{"type":"authentication_error","message":"because"},"request_id":"r1"}
      forbidden: {"type":"error","error":{"type":"permission_error","message":"because"},"request_id":"r1"}
      unknown_model: {"type":"error","error":{"type":"not_found_error","message":"because"},"request_id":"r1"}
      invalid_request: {"type":"error","error":{"type":"invalid_request_error","message":"because"},"request_id":"r1"}
      request_too_large: {"type":"error","error":{"type":"request_too_large","message":"because"},"request_id":"r1"}
      input_too_long: {"type":"error","error":{"type":"invalid_request_error","message":"because"},"request_id":"r1"}
      rate_limited: {"type":"error","error":{"type":"rate_limit_error","message":"because"},"request_id":"r1"}
      token_limited: {"type":"error","error":{"type":"rate_limit_error","message":"because"},"request_id":"r1"}
      concurrency_limited: {"type":"error","error":{"type":"rate_limit_error","message":"because"},"request_id":"r1"}
      capacity_reserved: {"type":"error","error":{"type":"rate_limit_error","message":"because"},"request_id":"r1"}
      queue_full: {"type":"error","error":{"type":"overloaded_error","message":"because"},"request_id":"r1"}
      queue_timeout: {"type":"error","error":{"type":"overloaded_error","message":"because"},"request_id":"r1"}
      no_backend: {"type":"error","error":{"type":"overloaded_error","message":"because"},"request_id":"r1"}
      draining: {"type":"error","error":{"type":"overloaded_error","message":"because"},"request_id":"r1"}
      backend_failed: {"type":"error","error":{"type":"api_error","message":"because"},"request_id":"r1"}
      backend_timeout: {"type":"error","error":{"type":"timeout_error","message":"because"},"request_id":"r1"}
      backend_broke_stream: {"type":"error","error":{"type":"api_error","message":"because"},"request_id":"r1"}"
    `);
  });

  test("is Ollama's plain string", () => {
    expect(errorBody("ollama", facts("queue_full"))).toBe('{"error":"because"}');
  });

  test("names the field that is wrong, for those who look there", () => {
    const wrong = facts("invalid_request", { param: "model" });
    expect(JSON.parse(errorBody("openai", wrong))).toMatchObject({ error: { param: "model" } });
    expect(errorBody("anthropic", wrong)).not.toContain("model");
  });

  test("stays JSON whatever the message contains", () => {
    const message = '"}\n\u2028\ud800';
    for (const surface of ["openai", "anthropic", "ollama"] as const) {
      const body = errorBody(surface, facts("invalid_request", { message }));
      expect(body).not.toContain("\n");
      expect(() => void JSON.parse(body)).not.toThrow();
    }
  });
});

describe("an error event", () => {
  test("is a data event, named only where the client looks at names", () => {
    const broke = facts("backend_broke_stream");
    expect(errorEvent("openai", "sse", broke)).toBe(`data: ${errorBody("openai", broke)}\n\n`);
    expect(errorEvent("ollama", "sse", broke)).toBe(`data: ${errorBody("ollama", broke)}\n\n`);
    expect(errorEvent("anthropic", "sse", broke)).toBe(`event: error\ndata: ${errorBody("anthropic", broke)}\n\n`);
  });

  test("is a line in NDJSON", () => {
    const broke = facts("backend_broke_stream");
    for (const surface of ["openai", "anthropic", "ollama"] as const) {
      expect(errorEvent(surface, "ndjson", broke)).toBe(`${errorBody(surface, broke)}\n`);
    }
  });
});
