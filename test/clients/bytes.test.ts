/** What the gate relays is what the backend said, byte for byte. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { describe, expect, test } from "vitest";

import { ask, type Backend, describeBackends, inFrontOf, openGate, useSimulatedModel } from "./support.ts";

const { messages } = ask("any");

/** Paths that both backends have. `seed` is for llama.cpp. */
const COMMON: readonly (readonly [path: string, body: object])[] = [
  ["/v1/chat/completions", { model: "any", messages, max_tokens: 12, seed: 3 }],
  ["/v1/completions", { model: "any", prompt: "Once upon a time", max_tokens: 12, seed: 3 }],
  ["/v1/messages", { model: "any", messages, max_tokens: 12, seed: 3 }],
  ["/completion", { prompt: "Once upon a time", n_predict: 12, seed: 3 }],
];

const ONLY_SIMULATED: typeof COMMON = [
  ["/v1/responses", { model: "any", input: "Once upon a time" }],
  ["/api/chat", { model: "any", messages }],
  ["/api/generate", { model: "any", prompt: "Once upon a time" }],
];

describeBackends((backend) => {
  describe.each(COMMON)("%s", (path, body) => {
    test.each([true, false])("is relayed as it is, with stream: %s", async (stream) => {
      await expectSame(backend(), path, { ...body, stream });
    });
  });

  test("a stream with usage is relayed as it is", async () => {
    const body = { ...ask("any"), seed: 3, stream: true, stream_options: { include_usage: true } };
    await expectSame(backend(), "/v1/chat/completions", body);
  });

  test.each(["float", "base64"])("embeddings are relayed as they are, encoded as %s", async (encoding_format) => {
    await expectSame(backend(), "/v1/embeddings", {
      model: "any",
      input: ["the water", "the people"],
      encoding_format,
    });
  });

  test.each([
    ["a prompt that does not fit", "/v1/completions", { prompt: "the ".repeat(150_000) }],
    ["a field of the wrong kind", "/v1/chat/completions", { messages, max_tokens: "many" }],
    ["a field of the wrong kind, for Anthropic", "/v1/messages", { messages, max_tokens: "many" }],
    ["a path that does not exist", "/v9/chat", { messages }],
  ])("the backend's own error for %s is relayed as it is", async (_, path, body) => {
    const { status } = await expectSame(backend(), path, body);
    expect(status).toBeGreaterThanOrEqual(400);
  });

  test.each(["/v1/models", "/health", "/health?verbose=1&x=%2F"])("GET %s is relayed as it is", async (path) => {
    await expectSame(backend(), path);
  });

  test("what /tokenize says is relayed as it is", async () => {
    const { text } = await expectSame(backend(), "/tokenize", { content: "Grüße, 世界 🌊" });
    expect(text).toContain("tokens");
  });
});

describe("in front of the simulated model alone", () => {
  const model = useSimulatedModel();

  describe.each(ONLY_SIMULATED)("%s", (path, body) => {
    test.each([true, false])("is relayed as it is, with stream: %s", async (stream) => {
      await expectSame(model(), path, { ...body, stream });
    });
  });
});

interface Answer {
  readonly status: number;
  readonly statusText: string;
  /** End-to-end headers, in order and spelling, without the date. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text: string;
}

/** Sends the same request to the backend and through the gate, and holds the two answers against each other. */
async function expectSame(backend: Backend, path: string, body?: object): Promise<Answer> {
  await using gate = await openGate(inFrontOf(backend));
  const direct = await send(backend.url + path, body);
  const { headers, ...through } = await send(gate.url + path, body);
  const added = headers.filter(([name]) => name === "x-request-id");
  expect({ ...through, headers: headers.filter((header) => !added.includes(header)) }).toEqual(direct);
  expect(added).toHaveLength(1);
  expect(direct.text).not.toBe("");
  return direct;
}

const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding"]);

async function send(url: string, body?: object): Promise<Answer> {
  const outgoing = request(url, { method: body === undefined ? "GET" : "POST", agent: false });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { rawHeaders, statusCode = 0, statusMessage = "" } = response;
  const headers = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""] as const] : [],
  );
  expect(headers.filter(([name]) => name.toLowerCase() === "date")).toHaveLength(1);
  const skipped = new Set([...HOP_BY_HOP, "date"]);
  return {
    status: statusCode,
    statusText: statusMessage,
    headers: headers.filter(([name]) => !skipped.has(name.toLowerCase())),
    // As latin1, every byte is a character.
    text: Buffer.concat(chunks).toString("latin1"),
  };
}
