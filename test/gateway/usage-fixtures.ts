/** What real servers send, shortened: their fields in their order, with a few tokens each. */

export interface Fixture {
  readonly name: string;
  readonly contentType: string;
  readonly text: string;
  readonly input: number | undefined;
  readonly output: number;
  /** Where the stream is cut off, what is known: the input if named by then, and how much output is seen. An event's name is seen before its data. */
  readonly cut?: { readonly before: string; readonly input?: number; readonly outputAtLeast: number };
}

const SSE = "text/event-stream; charset=utf-8";
const JSON_TYPE = "application/json";
const NDJSON = "application/x-ndjson";

const data = (value: unknown): string => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
const event = (type: string, fields: object = {}): string => `event: ${type}\n${data({ type, ...fields })}`;
const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

const CHUNK = { id: "chatcmpl-7", object: "chat.completion.chunk", created: 1_755_080_278, model: "m" };
const chat = (delta: object, finish_reason: string | null = null, more: object = {}): string =>
  data({ ...CHUNK, choices: [{ index: 0, delta, logprobs: null, finish_reason }], ...more });
const ROLE = chat({ role: "assistant", content: "" });
const HELLO = ["Hel", "lo", "!"];
const usage = (prompt_tokens: number, completion_tokens: number): object => ({
  prompt_tokens,
  completion_tokens,
  total_tokens: prompt_tokens + completion_tokens,
});
const timings = { cache_n: 20, prompt_n: 12, prompt_ms: 30.1, predicted_n: 3, predicted_ms: 60.2, draft_n: 0 };

const openaiStream =
  ROLE.replace(`]}`, `],"usage":null,"obfuscation":"x"}`) +
  HELLO.map((content) => chat({ content }, null, { usage: null, obfuscation: "xyz" })).join("") +
  chat({}, "stop", { usage: null, obfuscation: "" }) +
  data({
    ...CHUNK,
    service_tier: "default",
    choices: [],
    usage: {
      ...usage(32, 3),
      prompt_tokens_details: { cached_tokens: 20, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    },
    obfuscation: "",
  }) +
  data("[DONE]");

const vllmContinuous =
  chat({ role: "assistant", content: "" }, null, { usage: usage(32, 0) }) +
  HELLO.map((content, index) => chat({ content }, null, { usage: usage(32, index + 1) })).join("") +
  chat({}, "stop", { usage: usage(32, 3) }) +
  data({ ...CHUNK, choices: [], usage: usage(32, 3) }) +
  data("[DONE]");

const response = { id: "resp_1", object: "response", created_at: 1, status: "completed", model: "m" };
const responseUsage = {
  input_tokens: 32,
  input_tokens_details: { cached_tokens: 20 },
  output_tokens: 3,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 35,
};
const whole = (length: number): object => ({
  ...response,
  output: [
    { type: "message", content: [{ type: "output_text", text: `"usage":{"input_tokens":1}`.padEnd(length, "a") }] },
  ],
  tools: [{ type: "function", name: "f", parameters: { properties: { usage: { type: "object" } } } }],
  usage: responseUsage,
  user: null,
  metadata: { usage: "none" },
});
const responsesStream = (length: number): string =>
  event("response.created", { response: { ...response, status: "in_progress", usage: null } }) +
  event("response.output_item.added", { item: {} }) +
  HELLO.map((delta) => event("response.output_text.delta", { delta })).join("") +
  event("response.output_text.done", { text: "Hello!" }) +
  event("response.completed", { response: whole(length) });

const anthropicUsage = { input_tokens: 10, cache_creation_input_tokens: 2, cache_read_input_tokens: 20 };
const message = { id: "msg_1", type: "message", role: "assistant", model: "m" };
const anthropicStream =
  event("message_start", { message: { ...message, content: [], usage: { ...anthropicUsage, output_tokens: 1 } } }) +
  event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }) +
  event("ping") +
  HELLO.map((text) => event("content_block_delta", { index: 0, delta: { type: "text_delta", text } })).join("") +
  event("content_block_stop", { index: 0 }) +
  event("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 3 } }) +
  event("message_stop");

const ollamaHead = { model: "m", created_at: "2026-08-21T00:00:00Z" };
const ollamaEnd = {
  total_duration: 9,
  load_duration: 1,
  prompt_eval_count: 32,
  prompt_eval_duration: 3,
  eval_count: 3,
};
const forged = {
  function: { name: "f", arguments: { usage: { prompt_tokens: 0, completion_tokens: 0 }, eval_count: 0 } },
};

const native = (content: string, index: number): string =>
  data({ index: 0, content, tokens: [1], stop: false, id_slot: 0, tokens_predicted: index, tokens_evaluated: 32 });
const nativeEnd = (prompt: string): object => ({
  index: 0,
  content: "",
  tokens: [],
  stop: true,
  tokens_predicted: 3,
  tokens_evaluated: 32,
  generation_settings: { seed: 1 },
  prompt,
  stop_type: "eos",
  tokens_cached: 34,
  timings,
});

export const FIXTURES: readonly Fixture[] = [
  {
    name: "OpenAI chat",
    contentType: JSON_TYPE,
    text: JSON.stringify({
      ...CHUNK,
      choices: [{ index: 0, message: {}, finish_reason: "stop" }],
      usage: usage(32, 3),
      service_tier: "default",
    }),
    input: 32,
    output: 3,
  },
  {
    name: "OpenAI chat, streamed",
    contentType: SSE,
    text: openaiStream,
    input: 32,
    output: 3,
    cut: { before: `"!"`, outputAtLeast: 2 },
  },
  {
    name: "vLLM chat with usage on every chunk",
    contentType: SSE,
    text: vllmContinuous,
    input: 32,
    output: 3,
    cut: { before: `"!"`, input: 32, outputAtLeast: 2 },
  },
  {
    name: "a chat whose reasoning is in the total only",
    contentType: JSON_TYPE,
    text: JSON.stringify({ choices: [{ finish_reason: "stop" }], usage: { ...usage(32, 3), total_tokens: 135 } }),
    input: 32,
    output: 103,
  },
  {
    name: "llama-server chat, streamed",
    contentType: SSE,
    text: ROLE + HELLO.map((content) => chat({ content })).join("") + chat({}, "stop", { timings }) + data("[DONE]"),
    input: 32,
    output: 3,
    cut: { before: `"!"`, outputAtLeast: 2 },
  },
  {
    name: "llama-server chat with usage and timings",
    contentType: SSE,
    text:
      ROLE +
      HELLO.map((content) => chat({ content })).join("") +
      chat({}, "stop") +
      data({ ...CHUNK, choices: [], usage: usage(32, 3), timings }) +
      data("[DONE]"),
    input: 32,
    output: 3,
  },
  {
    name: "llama-server /completion, streamed",
    contentType: SSE,
    text: HELLO.map((word, index) => native(word, index + 1)).join("") + data(nativeEnd("Say hello.")),
    input: 32,
    output: 3,
    cut: { before: `"!"`, input: 32, outputAtLeast: 2 },
  },
  {
    name: "llama-server /completion",
    contentType: JSON_TYPE,
    text: JSON.stringify(nativeEnd("Say hello.")),
    input: 32,
    output: 3,
  },
  {
    name: "llama-server /completion with a long prompt in its answer",
    contentType: JSON_TYPE,
    text: JSON.stringify(nativeEnd(`"timings":{"prompt_n":1}`.padEnd(200_000, "a"))),
    input: 32,
    output: 3,
  },
  {
    name: "llama-server /infill",
    contentType: JSON_TYPE,
    text: JSON.stringify([nativeEnd(""), nativeEnd("")]),
    input: 32,
    output: 3,
  },
  { name: "Responses", contentType: JSON_TYPE, text: JSON.stringify(whole(10)), input: 32, output: 3 },
  {
    name: "a long Responses answer",
    contentType: JSON_TYPE,
    text: JSON.stringify(whole(300_000)),
    input: 32,
    output: 3,
  },
  {
    name: "Responses, streamed",
    contentType: SSE,
    text: responsesStream(10),
    input: 32,
    output: 3,
    cut: { before: `"!"`, outputAtLeast: 3 },
  },
  { name: "a long Responses answer, streamed", contentType: SSE, text: responsesStream(50_000), input: 32, output: 3 },
  {
    name: "Anthropic",
    contentType: JSON_TYPE,
    text: JSON.stringify({
      ...message,
      content: [{ type: "tool_use", input: { usage: { input_tokens: 0, output_tokens: 0 } } }],
      usage: { ...anthropicUsage, output_tokens: 3 },
    }),
    input: 32,
    output: 3,
  },
  {
    name: "Anthropic, streamed",
    contentType: SSE,
    text: anthropicStream,
    input: 32,
    output: 3,
    cut: { before: `"!"`, input: 32, outputAtLeast: 3 },
  },
  {
    name: "Anthropic, streamed, with all counts at the end",
    contentType: SSE,
    text: anthropicStream.replace(
      `"usage":{"output_tokens":3}`,
      `"usage":{"input_tokens":10,"cache_creation_input_tokens":2,"cache_read_input_tokens":20,"output_tokens":3}`,
    ),
    input: 32,
    output: 3,
  },
  {
    name: "Ollama chat",
    contentType: "application/json; charset=utf-8",
    text: JSON.stringify({
      ...ollamaHead,
      message: { role: "assistant", content: "Hello!", tool_calls: [forged] },
      done: true,
      ...ollamaEnd,
    }),
    input: 32,
    output: 3,
  },
  {
    name: "Ollama chat, streamed",
    contentType: NDJSON,
    text:
      HELLO.map((content) =>
        line({ ...ollamaHead, message: { role: "assistant", content, tool_calls: [forged] }, done: false }),
      ).join("") +
      line({
        ...ollamaHead,
        message: { role: "assistant", content: "" },
        done: true,
        done_reason: "stop",
        ...ollamaEnd,
      }),
    input: 32,
    output: 3,
    cut: { before: `"!"`, outputAtLeast: 2 },
  },
  {
    name: "Ollama with a cached prompt",
    contentType: JSON_TYPE,
    text: JSON.stringify({ ...ollamaHead, response: "Hello!", done: true, context: [1, 2], eval_count: 3 }),
    input: undefined,
    output: 3,
  },
  {
    name: "Ollama embeddings",
    contentType: JSON_TYPE,
    text: JSON.stringify({ model: "m", embeddings: [[0.1, 0.2]], total_duration: 1, prompt_eval_count: 32 }),
    input: 32,
    output: 0,
  },
  {
    name: "OpenAI embeddings",
    contentType: JSON_TYPE,
    text: JSON.stringify({
      object: "list",
      data: [{ embedding: Array.from({ length: 20_000 }, () => 0.125) }],
      model: "m",
      usage: { prompt_tokens: 32, total_tokens: 32 },
    }),
    input: 32,
    output: 0,
  },
  {
    name: "rerank",
    contentType: JSON_TYPE,
    text: JSON.stringify({ results: [], usage: { total_tokens: 32 } }),
    input: 32,
    output: 0,
  },
  {
    name: "SGLang /generate",
    contentType: JSON_TYPE,
    text: JSON.stringify({ text: "Hello!", meta_info: { ...usage(32, 3), finish_reason: { type: "stop" } } }),
    input: 32,
    output: 3,
  },
];
