/** `/v1/chat/completions`, `/v1/completions` and `/v1/embeddings`. */
import { invalid } from "./http.mjs";
import { MODEL_NAME } from "./model.mjs";
import { formatChat } from "./prompt.mjs";
import { collect, createJob, number, strings, timings } from "./request.mjs";

/** The time of every answer: 2024-01-01, so that equal requests give equal bytes. */
export const CREATED = 1_704_067_200;

/**
 * @typedef {import("./generate.mjs").Ending} Ending
 * @typedef {{
 *   prefix: string,
 *   whole: string,
 *   part: string,
 *   prompt(body: Record<string, unknown>): string | number[],
 *   first: object | undefined,
 *   piece(text: string): object,
 *   last: object,
 *   complete(text: string): object,
 * }} Shape How the two kinds of completion differ.
 */

/** @type {Shape} */
const CHAT = {
  prefix: "chatcmpl-",
  whole: "chat.completion",
  part: "chat.completion.chunk",
  prompt: ({ messages }) => formatChat(messages),
  first: { delta: { role: "assistant", content: null } },
  piece: (content) => ({ delta: { content } }),
  last: { delta: {} },
  complete: (content) => ({ message: { role: "assistant", content } }),
};

/** @type {Shape} */
const TEXT = {
  prefix: "cmpl-",
  whole: "text_completion",
  part: "text_completion",
  prompt: ({ prompt }) => readPrompt(prompt),
  first: undefined,
  piece: (text) => ({ text }),
  last: { text: "" },
  complete: (text) => ({ text }),
};

/**
 * @param {import("./engine.mjs").Engine} engine
 * @returns {Record<string, import("./http.mjs").Handler>}
 */
export function openaiRoutes(engine) {
  return {
    "POST /v1/chat/completions": complete(engine, CHAT),
    "POST /v1/completions": complete(engine, TEXT),
    "POST /v1/embeddings": embed(engine),
  };
}

/**
 * @param {import("./engine.mjs").Engine} engine
 * @param {Shape} shape
 * @returns {import("./http.mjs").Handler}
 */
function complete(engine, shape) {
  return async (request, reply) => {
    const { body, signal } = request;
    const limit = number(body, "max_completion_tokens", number(body, "max_tokens", number(body, "n_predict", -1)));
    const job = createJob(engine, { request, prompt: shape.prompt(body), limit, stop: strings(body["stop"]) });
    const parts = engine.run(job, signal);
    const head = { id: shape.prefix + request.id, created: CREATED, model: MODEL_NAME, system_fingerprint: MODEL_NAME };
    if (body["stream"] === true) return stream({ shape, head, parts, reply, body });

    const { text, ending } = await collect(parts);
    const choice = { index: 0, ...shape.complete(text), logprobs: null, finish_reason: finishReason(ending) };
    reply.json({ ...head, object: shape.whole, choices: [choice], usage: usage(ending), timings: timings(ending) });
  };
}

/**
 * One chunk for each token. The last chunk carries the timings; that is the usage chunk for those who asked for usage.
 *
 * @param {{
 *   shape: Shape,
 *   head: object,
 *   parts: AsyncIterable<import("./generate.mjs").Part>,
 *   reply: import("./http.mjs").Reply,
 *   body: Record<string, unknown>,
 * }} answer
 */
async function stream({ shape, head, parts, reply, body }) {
  const options = /** @type {{ include_usage?: unknown } | null | undefined} */ (body["stream_options"]);
  const chunk = (/** @type {object[]} */ choices) => ({ ...head, object: shape.part, choices });
  const choice = (/** @type {object} */ content, /** @type {string | null} */ reason = null) =>
    chunk([{ index: 0, ...content, finish_reason: reason }]);

  let begun = shape.first === undefined;
  for await (const part of parts) {
    if (!begun) reply.event(choice(/** @type {object} */ (shape.first)));
    begun = true;
    if (part.kind === "text") {
      reply.event(choice(shape.piece(part.text)));
      continue;
    }
    const last = choice(shape.last, finishReason(part.ending));
    if (options?.include_usage === true) {
      reply.event(last);
      reply.event({ ...chunk([]), usage: usage(part.ending), timings: timings(part.ending) });
    } else {
      reply.event({ ...last, timings: timings(part.ending) });
    }
  }
  reply.event("[DONE]");
  reply.end();
}

/**
 * @param {import("./engine.mjs").Engine} engine
 * @returns {import("./http.mjs").Handler}
 */
function embed(engine) {
  return async ({ body, signal }, reply) => {
    const inputs = strings(body["input"]);
    if (inputs.length === 0) throw invalid("'input' must be text or a list of texts");
    const base64 = body["encoding_format"] === "base64";
    const vectors = await Promise.all(inputs.map((text) => engine.embed(text, signal)));
    const tokens = inputs.reduce((sum, text) => sum + engine.tokenize(text).length, 0);
    const data = vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: base64 ? Buffer.from(Float32Array.from(vector).buffer).toString("base64") : vector,
    }));
    reply.json({ object: "list", model: MODEL_NAME, data, usage: { prompt_tokens: tokens, total_tokens: tokens } });
  };
}

/**
 * @param {unknown} prompt
 * @returns {string | number[]} A text, or the tokens of one.
 */
export function readPrompt(prompt) {
  if (typeof prompt === "string") return prompt;
  if (Array.isArray(prompt) && prompt.length === 1 && typeof prompt[0] === "string") return prompt[0];
  if (Array.isArray(prompt) && prompt.length > 0 && prompt.every(Number.isInteger)) return prompt;
  throw invalid("'prompt' must be one text or the tokens of one");
}

/** @param {Ending} ending */
function finishReason({ type }) {
  return type === "limit" ? "length" : "stop";
}

/** @param {Ending} ending */
function usage({ promptTokens, generatedTokens }) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: generatedTokens,
    total_tokens: promptTokens + generatedTokens,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}
