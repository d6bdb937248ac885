/** What each client library makes of each refusal of the gate. */
import * as anthropic from "@anthropic-ai/sdk";
import * as openai from "openai";
import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import {
  anthropicAt,
  ask,
  failureOf,
  type Gate,
  holdSeat,
  inFrontOf,
  openaiAt,
  openGate,
  type SimulatedModel,
  until,
  useSimulatedModel,
} from "./support.ts";

/** What differs from an ordinary question. */
interface Change {
  readonly model?: unknown;
  readonly content?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks through one of the libraries. */
type Ask = (gate: Gate, change?: Change) => Promise<unknown>;

interface Refusal {
  readonly outcome: string;
  readonly when: string;
  /** Brings the refusal about, and resolves with what the library threw. */
  provoke(model: SimulatedModel, ask: Ask): Promise<unknown>;
  readonly status: number;
  readonly says: RegExp;
  /** Whether the library learns when to come back. */
  readonly retry: boolean;
  readonly openai: readonly [kind: new (...args: never[]) => Error, code: string, type: string];
  readonly anthropic: readonly [kind: new (...args: never[]) => Error, type: string];
}

const onlyNamed = ({ url }: SimulatedModel) => ({
  deployments: { first: { models: ["water"], backends: [url] }, second: { models: ["stone"], backends: [url] } },
});

const REFUSALS: readonly Refusal[] = [
  {
    outcome: "unknown_model",
    when: "no deployment serves the model",
    async provoke(model, ask) {
      await using gate = await openGate(onlyNamed(model));
      return await failureOf(ask(gate, { model: "wind" }));
    },
    status: 404,
    says: /no deployment serves the model "wind"\. It serves water, stone\./,
    retry: false,
    openai: [openai.NotFoundError, "model_not_found", "invalid_request_error"],
    anthropic: [anthropic.NotFoundError, "not_found_error"],
  },
  {
    outcome: "invalid_request",
    when: "the model is not a string",
    async provoke(model, ask) {
      await using gate = await openGate(inFrontOf(model));
      return await failureOf(ask(gate, { model: 5 }));
    },
    status: 400,
    says: /model must be a string\./,
    retry: false,
    openai: [openai.BadRequestError, "invalid_request", "invalid_request_error"],
    anthropic: [anthropic.BadRequestError, "invalid_request_error"],
  },
  {
    outcome: "request_too_large",
    when: "the body has more bytes than it may",
    async provoke(model, ask) {
      await using gate = await openGate({ ...inFrontOf(model), server: { max_body_size: "1MB" } });
      return await failureOf(ask(gate, { content: "the water ".repeat(1_000_000) }));
    },
    status: 413,
    says: /a request body may have 1000000 bytes at most\./,
    retry: false,
    openai: [openai.APIError, "request_too_large", "invalid_request_error"],
    anthropic: [anthropic.ContentTooLargeError, "request_too_large"],
  },
  {
    outcome: "queue_full",
    when: "nothing may wait",
    async provoke(model, ask) {
      await using gate = await openGate(inFrontOf(model, { max_concurrent: 1, queue: undefined }));
      await holdSeat(gate);
      return await failureOf(ask(gate));
    },
    status: 503,
    says: /all 1 seats of default are taken, .+ Please try again in 1s\./,
    retry: true,
    openai: [openai.InternalServerError, "server_is_overloaded", "service_unavailable_error"],
    anthropic: [anthropic.ServiceUnavailableError, "overloaded_error"],
  },
  {
    outcome: "queue_full",
    when: "the queue is full",
    async provoke(model, ask) {
      await using gate = await openGate(inFrontOf(model, { max_concurrent: 1, queue: { max_length: 1 } }));
      await holdSeat(gate);
      const waiting = failureOf(ask(gate));
      await until(() => gate.stats().waiting === 1);
      const error = await failureOf(ask(gate));
      await gate.close();
      await waiting;
      return error;
    },
    status: 503,
    says: /the queue of default is full: 1 of 1 places are taken, in front of 1 seats\. Please try again in 1s\./,
    retry: true,
    openai: [openai.InternalServerError, "server_is_overloaded", "service_unavailable_error"],
    anthropic: [anthropic.ServiceUnavailableError, "overloaded_error"],
  },
  {
    outcome: "queue_timeout",
    when: "the request has waited as long as it may",
    async provoke(model, ask) {
      const clock = new VirtualClock();
      await using gate = await openGate(inFrontOf(model, { max_concurrent: 1, queue: { max_wait: "30s" } }), clock);
      await holdSeat(gate);
      const failure = failureOf(ask(gate));
      await until(() => gate.stats().waiting === 1);
      clock.advance(30_000);
      return await failure;
    },
    status: 503,
    says: /the request waited 30s for one of 1 seats of default, as long as it may\. Please try again in 1s\./,
    retry: true,
    openai: [openai.InternalServerError, "queue_timeout", "service_unavailable_error"],
    anthropic: [anthropic.ServiceUnavailableError, "overloaded_error"],
  },
  {
    outcome: "draining",
    when: "the gate stops while the request waits",
    async provoke(model, ask) {
      await using gate = await openGate(inFrontOf(model, { max_concurrent: 1 }));
      await holdSeat(gate);
      const failure = failureOf(ask(gate));
      await until(() => gate.stats().waiting === 1);
      await gate.close();
      return await failure;
    },
    status: 503,
    says: /the gate is shutting down\./,
    retry: true,
    openai: [openai.InternalServerError, "shutting_down", "service_unavailable_error"],
    anthropic: [anthropic.ServiceUnavailableError, "overloaded_error"],
  },
  {
    outcome: "backend_failed",
    when: "nobody listens where the backend should be",
    async provoke(_, ask) {
      await using gate = await openGate(inFrontOf({ url: await deadUrl() }));
      return await failureOf(ask(gate));
    },
    status: 502,
    says: /the backend of default could not be reached\./,
    retry: false,
    openai: [openai.InternalServerError, "backend_failed", "api_error"],
    anthropic: [anthropic.InternalServerError, "api_error"],
  },
  {
    outcome: "backend_failed",
    when: "the backend breaks the connection before it answers",
    async provoke(model, ask) {
      await using gate = await openGate(inFrontOf(model));
      return await failureOf(ask(gate, { headers: { "x-sim-fault": "reset-before-headers" } }));
    },
    status: 502,
    says: /the backend of default closed the connection before its answer was complete\./,
    retry: false,
    openai: [openai.InternalServerError, "backend_failed", "api_error"],
    anthropic: [anthropic.InternalServerError, "api_error"],
  },
  {
    outcome: "no_backend",
    when: "the only backend is known to be down",
    async provoke(_, ask) {
      await using gate = await openGate(inFrontOf({ url: await deadUrl() }), new VirtualClock());
      await failureOf(ask(gate));
      return await failureOf(ask(gate));
    },
    status: 503,
    says: /no backend of default answers at present; .+ Please try again in 1s\./,
    retry: true,
    openai: [openai.InternalServerError, "backend_unavailable", "service_unavailable_error"],
    anthropic: [anthropic.ServiceUnavailableError, "overloaded_error"],
  },
  {
    outcome: "backend_timeout",
    when: "the backend does not begin in time",
    async provoke(model, ask) {
      const clock = new VirtualClock();
      const settings = inFrontOf(model, { timeouts: { first_byte: "1m" } });
      await using gate = await openGate(settings, clock);
      const failure = failureOf(ask(gate, { headers: { "x-sim-fault": "stall-before-headers" } }));
      await until(() => model.server.stats().concurrent === 1);
      clock.advance(60_000);
      return await failure;
    },
    status: 504,
    says: /the backend of default was silent for 60s\./,
    retry: false,
    openai: [openai.InternalServerError, "backend_timeout", "api_error"],
    anthropic: [anthropic.GatewayTimeoutError, "timeout_error"],
  },
  {
    outcome: "backend_timeout",
    when: "time is up before there is a connection",
    async provoke(model, ask) {
      const clock = new VirtualClock();
      await using gate = await openGate(inFrontOf(model, { timeouts: { first_byte: "1m" } }), clock);
      const failure = failureOf(ask(gate, { headers: { "x-sim-fault": "stall-before-headers" } }));
      await until(() => gate.stats().in_flight === 1);
      clock.advance(60_000);
      return await failure;
    },
    status: 504,
    says: /the backend of default was silent for 60s\./,
    retry: false,
    openai: [openai.InternalServerError, "backend_timeout", "api_error"],
    anthropic: [anthropic.GatewayTimeoutError, "timeout_error"],
  },
];

const model = useSimulatedModel();

describe.each(REFUSALS.map((each) => [each.outcome, each.when, each] as const))("%s, when %s,", (_, __, refusal) => {
  test("reaches OpenAI's client as an error of its kind", async () => {
    const error = await refusal.provoke(model(), (gate, { model = "any", content = "Say hello.", headers } = {}) => {
      const request = { ...ask(model as string), messages: [{ role: "user" as const, content }] };
      return openaiAt(gate).chat.completions.create(request, { headers });
    });
    const [kind, code, type] = refusal.openai;
    if (!(error instanceof openai.APIError)) throw error;
    expect(error.constructor).toBe(kind);
    expect(error).toMatchObject({ status: refusal.status, code, type });
    expect(error.message).toMatch(refusal.says);
    expectHeaders(error.headers, refusal);
    expect(error.requestID).toMatch(/^hg-/);
  });

  test("reaches Anthropic's client as an error of its kind", async () => {
    const error = await refusal.provoke(model(), (gate, { model = "any", content = "Say hello.", headers } = {}) => {
      const request = { ...ask(model as string), messages: [{ role: "user" as const, content }] };
      return anthropicAt(gate).messages.create(request, { headers });
    });
    const [kind, type] = refusal.anthropic;
    if (!(error instanceof anthropic.APIError)) throw error;
    expect(error.constructor).toBe(kind);
    expect(error).toMatchObject({ status: refusal.status, type });
    expect(error.error).toEqual({
      type: "error",
      error: { type, message: expect.stringMatching(refusal.says) },
      request_id: expect.stringMatching(/^hg-/),
    });
    expectHeaders(error.headers, refusal);
    expect(error.requestID).toMatch(/^hg-/);
  });
});

test("a request may bring its own id, and the error has it", async () => {
  await using gate = await openGate(inFrontOf(model()));
  const request = { ...ask("any"), model: 5 as unknown as string };
  const failure = failureOf(openaiAt(gate).chat.completions.create(request, { headers: { "x-request-id": "mine-1" } }));
  expect(await failure).toMatchObject({ requestID: "mine-1", param: "model" });
});

test("Ollama's clients get the message as plain text", async () => {
  await using gate = await openGate(inFrontOf(model(), { max_concurrent: 1, queue: undefined }));
  await holdSeat(gate);
  const response = await fetch(`${gate.url}/api/chat`, { method: "POST", body: JSON.stringify(ask("any")) });
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({ error: expect.stringMatching(/all 1 seats of default are taken/) });
});

test("a body that is no object is refused for what it is", async () => {
  await using gate = await openGate(inFrontOf(model()));
  const failure = failureOf(openaiAt(gate).post("/chat/completions", { body: [1] }));
  expect(await failure).toMatchObject({ status: 400, message: expect.stringContaining("must be a JSON object") });
});

test("a request waits no longer than its client does", async () => {
  const clock = new VirtualClock();
  await using gate = await openGate(inFrontOf(model(), { max_concurrent: 1 }), clock);
  await holdSeat(gate);
  const failures = [
    failureOf(anthropicAt(gate, { timeout: 120_000 }).messages.create(ask("any"))),
    failureOf(openaiAt(gate).chat.completions.create(ask("any"), { timeout: 120_000 })),
  ];
  await until(() => gate.stats().waiting === 2);
  clock.advance(120_000);
  const errors = await Promise.all(failures);
  expect(errors).toMatchObject([{ type: "overloaded_error" }, { code: "queue_timeout" }]);
});

test.each([
  ["status-500", 500],
  ["status-503", 503],
])("the backend's own error (%s) reaches the client as the backend said it", async (fault, status) => {
  await using gate = await openGate(inFrontOf(model()));
  const headers = { "x-sim-fault": fault };
  const direct = await failureOf(openaiAt(model()).chat.completions.create(ask("any"), { headers }));
  const through = await failureOf(openaiAt(gate).chat.completions.create(ask("any"), { headers }));
  if (!(direct instanceof openai.APIError) || !(through instanceof openai.APIError)) throw new Error("no API errors");
  expect(through).toMatchObject({ status, message: direct.message, error: direct.error });
  expect(through.headers?.has("x-headgate-outcome")).toBe(false);
});

/** What the gate says about a refusal outside the body. */
function expectHeaders(headers: Headers | undefined, { outcome, retry }: Refusal): void {
  expect(headers?.get("x-headgate-outcome")).toBe(outcome);
  const [seconds, milliseconds] = [headers?.get("retry-after"), headers?.get("retry-after-ms")];
  expect([seconds, milliseconds]).toEqual(retry ? ["1", "1000"] : [null, null]);
  expect(headers?.get("x-should-retry")).toBe(outcome === "request_too_large" ? "false" : null);
}

/** An address where nothing listens any more. */
async function deadUrl(): Promise<string> {
  const gate = await openGate(inFrontOf({ url: "http://127.0.0.1:9" }));
  await gate.close();
  return gate.url;
}
