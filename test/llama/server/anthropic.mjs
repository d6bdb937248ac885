/** `/v1/messages` and `/v1/messages/count_tokens`. */
import { MODEL_NAME } from "./model.mjs";
import { formatChat, textOf } from "./prompt.mjs";
import { collect, createJob, number, strings } from "./request.mjs";

/** What llama-server assumes when `max_tokens` is missing. */
const MAX_TOKENS = 4096;

const STOP_REASONS = /** @type {const} */ ({ limit: "max_tokens", word: "stop_sequence", eos: "end_turn" });

/**
 * @param {import("./engine.mjs").Engine} engine
 * @returns {Record<string, import("./http.mjs").Handler>}
 */
export function anthropicRoutes(engine) {
  return {
    "POST /v1/messages": async (request, reply) => {
      const { body, id, signal } = request;
      const job = createJob(engine, {
        request,
        prompt: formatConversation(body),
        limit: number(body, "max_tokens", MAX_TOKENS),
        stop: strings(body["stop_sequences"]),
      });
      const parts = engine.run(job, signal);
      const head = { id: `msg_${id}`, type: "message", role: "assistant", model: MODEL_NAME };
      if (body["stream"] === true) return stream({ head, parts, reply, promptTokens: job.prompt.length });

      const { text, ending } = await collect(parts);
      reply.json({ ...head, content: [{ type: "text", text }], ...stopOf(ending), usage: usage(ending) });
    },

    "POST /v1/messages/count_tokens": ({ body }, reply) => {
      reply.json({ input_tokens: engine.tokenize(formatConversation(body)).length });
    },
  };
}

/**
 * @param {{
 *   head: object,
 *   parts: AsyncIterable<import("./generate.mjs").Part>,
 *   reply: import("./http.mjs").Reply,
 *   promptTokens: number,
 * }} answer
 */
async function stream({ head, parts, reply, promptTokens }) {
  const send = (/** @type {Record<string, unknown> & { type: string }} */ event) => reply.event(event, event.type);
  const begin = () => {
    const message = { ...head, content: [], stop_reason: null, stop_sequence: null };
    send({ type: "message_start", message: { ...message, usage: usage({ promptTokens, generatedTokens: 0 }) } });
    send({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });
  };

  let begun = false;
  for await (const part of parts) {
    if (!begun) begin();
    begun = true;
    if (part.kind === "text") {
      send({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: part.text } });
      continue;
    }
    send({ type: "content_block_stop", index: 0 });
    send({ type: "message_delta", delta: stopOf(part.ending), usage: { output_tokens: part.ending.generatedTokens } });
    send({ type: "message_stop" });
  }
  reply.end();
}

/** @param {Record<string, unknown>} body */
function formatConversation({ system, messages }) {
  if (system === undefined || !Array.isArray(messages)) return formatChat(messages);
  return formatChat([{ role: "system", content: textOf(system) }, ...messages]);
}

/** @param {import("./generate.mjs").Ending} ending */
function stopOf({ type, word }) {
  return { stop_reason: STOP_REASONS[type], stop_sequence: type === "word" ? word : null };
}

/** @param {{ promptTokens: number, generatedTokens: number }} counts */
function usage({ promptTokens, generatedTokens }) {
  return { input_tokens: promptTokens, output_tokens: generatedTokens, cache_read_input_tokens: 0 };
}
