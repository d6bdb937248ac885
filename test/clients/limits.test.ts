/** What the client libraries make of keys, limits and shares: each refusal is an error of its kind. */
import { createHash } from "node:crypto";

import * as anthropic from "@anthropic-ai/sdk";
import * as openai from "openai";
import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { langchainAt } from "./retries-kit.ts";
import {
  anthropicAt,
  ask,
  failureOf,
  type Gate,
  type GateSettings,
  holdSeat,
  inFrontOf,
  openaiAt,
  openGate,
  useSimulatedModel,
} from "./support.ts";

const model = useSimulatedModel();

/** Two consumers behind keys. Ann alone may use the deployment. */
function withKeys(url: string): GateSettings {
  const key = (name: string): string => `sha256:${createHash("sha256").update(`key of ${name}`).digest("hex")}`;
  const consumers = { ann: { keys: [key("ann")] }, bob: { keys: [key("bob")] } };
  const settings = { ...inFrontOf({ url }, { allow: ["ann"] }), consumers };
  return settings;
}

/** Asks with a text and a key. */
interface Question {
  readonly content?: string;
  readonly apiKey?: string;
}

interface Refusal {
  readonly when: string;
  /** Settings of the deployment; consumers with keys where there are none. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly question?: Question;
  /** What has to happen before. */
  readonly first?: (gate: Gate) => Promise<unknown>;
  readonly status: number;
  readonly outcome: string;
  readonly says: RegExp;
  /** `retry-after`, where the library learns when to come back. */
  readonly seconds?: number;
  /** It is told not to come back. */
  readonly final?: boolean;
  readonly openai: readonly [kind: new (...args: never[]) => Error, code: string, type: string];
  readonly anthropic: readonly [kind: new (...args: never[]) => Error, type: string];
  /** By what LangChain's callers know it, where that is not the status. */
  readonly langchain?: object;
}

const once = (gate: Gate): Promise<unknown> => openaiAt(gate).chat.completions.create(ask("any"));
const LONG = "the water ".repeat(400);

const RATE_LIMIT = {
  status: 429,
  anthropic: [anthropic.RateLimitError, "rate_limit_error"],
  langchain: { status: 429, lc_error_code: "MODEL_RATE_LIMIT" },
} as const;

const BAD_REQUEST = {
  status: 400,
  anthropic: [anthropic.BadRequestError, "invalid_request_error"],
} as const;

const REFUSALS: readonly Refusal[] = [
  {
    when: "the key is unknown",
    question: { apiKey: "key of nobody" },
    status: 401,
    outcome: "unauthenticated",
    says: /Headgate/,
    openai: [openai.AuthenticationError, "invalid_api_key", "authentication_error"],
    anthropic: [anthropic.AuthenticationError, "authentication_error"],
    langchain: { status: 401, lc_error_code: "MODEL_AUTHENTICATION" },
  },
  {
    when: "the consumer may not use the deployment",
    question: { apiKey: "key of bob" },
    status: 403,
    outcome: "forbidden",
    says: /you may not use default\./,
    openai: [openai.PermissionDeniedError, "model_not_allowed", "permission_error"],
    anthropic: [anthropic.PermissionDeniedError, "permission_error"],
  },
  {
    ...BAD_REQUEST,
    when: "the input is longer than an input may be",
    settings: { limits: { input_tokens: 100 } },
    question: { content: LONG },
    outcome: "input_too_long",
    says: /your maximum context length is 100 tokens for default, and the input has about 10\d\d\./,
    final: true,
    openai: [openai.BadRequestError, "context_length_exceeded", "invalid_request_error"],
    langchain: { name: "ContextOverflowError" },
  },
  {
    ...BAD_REQUEST,
    when: "the input has more tokens than a limit ever lets through",
    settings: { limits: { tokens_per_minute: 600 } },
    question: { content: LONG },
    outcome: "invalid_request",
    says: /your limit of 600 tokens per minute for default never lets more than \d+ through at once\./,
    final: true,
    openai: [openai.BadRequestError, "invalid_request", "invalid_request_error"],
  },
  {
    ...RATE_LIMIT,
    when: "the requests are used up",
    settings: { limits: { requests_per_minute: 6 } },
    first: once,
    outcome: "rate_limited",
    says: /limit of 6 requests per minute .*used up \(1 used\)\. Please try again in 10s\./,
    seconds: 10,
    openai: [openai.RateLimitError, "rate_limit_exceeded", "rate_limit_error"],
  },
  {
    ...RATE_LIMIT,
    when: "the requests are used up for longer than a minute",
    settings: { limits: { requests_per_hour: 4 } },
    first: once,
    outcome: "rate_limited",
    says: /limit of 4 requests per hour .*used up \(1 used\)\. Please try again in 900s\./,
    seconds: 900,
    final: true,
    openai: [openai.RateLimitError, "rate_limit_exceeded", "rate_limit_error"],
  },
  {
    ...RATE_LIMIT,
    when: "the limit is 0",
    settings: { limits: { requests_per_minute: 0 } },
    outcome: "rate_limited",
    says: /your limit of 0 requests per minute blocks every request to default\./,
    final: true,
    openai: [openai.RateLimitError, "rate_limit_exceeded", "rate_limit_error"],
  },
  {
    ...RATE_LIMIT,
    when: "the tokens are used up",
    settings: { limits: { output_tokens_per_minute: 12 } },
    first: once,
    outcome: "token_limited",
    says: /limit of 12 output tokens per minute .*has 0 left at present, and the request needs about \d+\. Please try again in 35s\./,
    seconds: 35,
    openai: [openai.RateLimitError, "token_limit_exceeded", "rate_limit_error"],
  },
  {
    ...RATE_LIMIT,
    when: "as many requests run as may",
    settings: { limits: { concurrent_requests: 1 } },
    first: holdSeat,
    outcome: "concurrency_limited",
    says: /limit of 1 concurrent requests .*used up \(1 used\)\. Please try again in 1s\./,
    seconds: 1,
    openai: [openai.RateLimitError, "concurrency_limit_exceeded", "rate_limit_error"],
  },
];

describe.each(REFUSALS.map((each) => [each.when, each] as const))("when %s", (_, refusal) => {
  const { settings, question: { content = "Say hello.", apiKey = "key of ann" } = {}, first, says } = refusal;
  const { status, outcome } = refusal;

  async function failure(ask: (gate: Gate) => Promise<unknown>): Promise<unknown> {
    const clock = new VirtualClock();
    await using gate = await openGate(
      settings === undefined ? withKeys(model().url) : inFrontOf(model(), settings),
      clock,
    );
    await first?.(gate);
    const error = await failureOf(ask(gate));
    expect(gate.stats().outcomes[outcome]).toBe(1);
    return error;
  }

  test("OpenAI's client throws an error of its kind", async () => {
    const [kind, code, type] = refusal.openai;
    const request = { ...ask("any"), messages: [{ role: "user" as const, content }] };
    const error = await failure((gate) => openaiAt(gate, { apiKey }).chat.completions.create(request));
    if (!(error instanceof openai.APIError)) throw error;
    expect(error.constructor).toBe(kind);
    expect(error).toMatchObject({ status, code, type, message: expect.stringMatching(says) });
    expectHeaders(error.headers, refusal);
  });

  test("OpenAI's client throws it on every surface, and before a stream begins", async () => {
    const [kind, code] = refusal.openai;
    const surfaces: readonly ((client: openai.OpenAI) => Promise<unknown>)[] = [
      async (client) =>
        client.chat.completions.create({ ...ask("any"), messages: [{ role: "user", content }], stream: true }),
      async (client) => client.completions.create({ model: "any", prompt: content, max_tokens: 8 }),
      async (client) => client.responses.create({ model: "any", input: content, max_output_tokens: 16, stream: true }),
      async (client) => client.embeddings.create({ model: "any", input: content }),
    ];
    for (const ask of surfaces) {
      const error = await failure((gate) => ask(openaiAt(gate, { apiKey })));
      expect(error).toBeInstanceOf(kind);
      expect(error).toMatchObject({ status, code });
    }
  });

  test("Anthropic's client throws an error of its kind", async () => {
    const [kind, type] = refusal.anthropic;
    const request = { ...ask("any"), messages: [{ role: "user" as const, content }] };
    for (const stream of [false, true]) {
      const error = await failure(async (gate) =>
        anthropicAt(gate, { apiKey }).messages.create({ ...request, stream }),
      );
      if (!(error instanceof anthropic.APIError)) throw error;
      expect(error.constructor).toBe(kind);
      expect(error).toMatchObject({ status, type });
      expect(error.error).toEqual({
        type: "error",
        error: { type, message: expect.stringMatching(says) },
        request_id: expect.stringMatching(/^hg-/),
      });
      expectHeaders(error.headers, refusal);
    }
  });

  test("LangChain throws an error of its kind", async () => {
    const error = await failure((gate) => langchainAt(gate, { apiKey, maxRetries: 0 }).invoke(content));
    expect(error).toMatchObject({ message: expect.stringMatching(says), ...(refusal.langchain ?? { status }) });
  });
});

test("an answer tells both clients what is left of the limits", async () => {
  const settings = { limits: { requests_per_minute: 60, tokens_per_minute: 6_000 } };
  await using gate = await openGate(inFrontOf(model(), settings), new VirtualClock());
  const { response } = await openaiAt(gate).chat.completions.create(ask("any")).withResponse();
  const named = ["limit-requests", "remaining-requests", "reset-requests", "limit-tokens"];
  expect(named.map((name) => response.headers.get(`x-ratelimit-${name}`))).toEqual(["60", "9", "1s", "6000"]);
  const second = await anthropicAt(gate).messages.create(ask("any")).withResponse();
  expect(second.response.headers.get("x-ratelimit-remaining-requests")).toBe("8");
});

test("a share that is used up is a rate limit of its own name", async () => {
  const capacity = { requests_per_minute: 60, utilization_threshold: "50%", burst: "1s", meter: "0s" };
  await using gate = await openGate(inFrontOf(model(), { capacity }), new VirtualClock());
  const errors: unknown[] = [];
  for (let count = 0; count < 20 && errors.length === 0; count++)
    await once(gate).catch((error: unknown) => errors.push(error));
  expect(errors[0]).toBeInstanceOf(openai.RateLimitError);
  expect(errors[0]).toMatchObject({ code: "capacity_reserved", type: "rate_limit_error" });
  const error = await failureOf(anthropicAt(gate).messages.create(ask("any")));
  expect(error).toBeInstanceOf(anthropic.RateLimitError);
});

/** What the gate says about a refusal outside the body. */
function expectHeaders(headers: Headers | undefined, { outcome, seconds, final }: Refusal): void {
  expect(headers?.get("x-headgate-outcome")).toBe(outcome);
  expect(headers?.get("retry-after")).toBe(seconds === undefined ? null : String(seconds));
  expect(headers?.get("x-should-retry")).toBe(final === true ? "false" : null);
}
