/** llama-server's own endpoints around text and tokens. */
import { invalid } from "./http.mjs";
import { MODEL_NAME } from "./model.mjs";
import { readPrompt } from "./openai.mjs";
import { formatChat } from "./prompt.mjs";
import { collect, createJob, number, strings, timings } from "./request.mjs";

/**
 * @param {import("./engine.mjs").Engine} engine
 * @returns {Record<string, import("./http.mjs").Handler>}
 */
export function nativeRoutes(engine) {
  return {
    "POST /completion": async (request, reply) => {
      const { body, signal } = request;
      const limit = number(body, "n_predict", -1);
      const job = createJob(engine, {
        request,
        prompt: readPrompt(body["prompt"]),
        limit,
        stop: strings(body["stop"]),
      });
      const parts = engine.run(job, signal);
      if (body["stream"] === true) return stream(parts, reply);

      const { text, ending } = await collect(parts);
      reply.json(lastPart(ending, text));
    },

    "POST /tokenize": ({ body }, reply) => {
      const tokens = engine.tokenize(contentOf(body), {
        addSpecial: body["add_special"] === true,
        parseSpecial: body["parse_special"] !== false,
      });
      const withPiece = (/** @type {import("./generate.mjs").Token} */ id) => ({
        id,
        piece: engine.model.detokenize([id], true),
      });
      reply.json({ tokens: body["with_pieces"] === true ? tokens.map(withPiece) : tokens });
    },

    "POST /detokenize": ({ body }, reply) => {
      const { tokens } = body;
      if (!Array.isArray(tokens) || !tokens.every(Number.isInteger))
        throw invalid("'tokens' must be a list of integers");
      reply.json({ content: engine.model.detokenize(tokens, true) });
    },

    "POST /apply-template": ({ body }, reply) => reply.json({ prompt: formatChat(body["messages"]) }),
  };
}

/**
 * No `[DONE]` here: `stop: true` is the end.
 *
 * @param {AsyncIterable<import("./generate.mjs").Part>} parts
 * @param {import("./http.mjs").Reply} reply
 */
async function stream(parts, reply) {
  for await (const part of parts) {
    if (part.kind === "end") reply.event(lastPart(part.ending, ""));
    else reply.event({ index: 0, content: part.text, tokens: [], stop: false });
  }
  reply.end();
}

/**
 * @param {import("./generate.mjs").Ending} ending
 * @param {string} content
 */
function lastPart(ending, content) {
  return {
    index: 0,
    content,
    tokens: [],
    stop: true,
    model: MODEL_NAME,
    tokens_predicted: ending.generatedTokens,
    tokens_evaluated: ending.promptTokens,
    truncated: false,
    stop_type: ending.type,
    stopping_word: ending.word,
    tokens_cached: 0,
    timings: timings(ending),
  };
}

/** @param {Record<string, unknown>} body */
function contentOf({ content }) {
  if (typeof content !== "string") throw invalid("'content' must be a string");
  return content;
}
