/** What the backend tells about itself: llama-server's endpoints, and `/stats` for tests. */
import { MODEL_NAME } from "./model.mjs";
import { CREATED } from "./openai.mjs";
import { CHAT_TEMPLATE } from "./vocabulary.mjs";

/**
 * @param {import("./engine.mjs").Engine} engine
 * @returns {Record<string, import("./http.mjs").Handler>}
 */
export function statusRoutes(engine) {
  const { contextSize, slots } = engine;
  return {
    "GET /health": (_, reply) => reply.json({ status: "ok" }),

    "GET /v1/models": (_, reply) => {
      const meta = { n_ctx_train: engine.model.trainContextSize, n_embd: engine.model.embeddingVectorSize };
      const model = { id: MODEL_NAME, object: "model", created: CREATED, owned_by: "llamacpp", meta };
      reply.json({ object: "list", data: [model] });
    },

    "GET /props": (_, reply) => {
      reply.json({
        default_generation_settings: { n_ctx: contextSize },
        total_slots: slots.length,
        model_alias: MODEL_NAME,
        chat_template: CHAT_TEMPLATE,
        is_sleeping: false,
      });
    },

    "GET /slots": (_, reply) => reply.json(slots.map((slot) => describeSlot(slot, contextSize))),

    "GET /metrics": (_, reply) => reply.text(formatMetrics(engine.stats())),

    // Answers once the counters have the values in the query: `/stats?concurrent=0&waiting=2`.
    "GET /stats": async ({ query, signal }, reply) => {
      const wanted = [...query].map(([name, value]) => [name, Number(value)]);
      await engine.when(Object.fromEntries(wanted), signal);
      reply.json(engine.stats());
    },
  };
}

/**
 * @param {import("./slots.mjs").Slot} slot
 * @param {number} contextSize
 */
function describeSlot({ id, taskId, task }, contextSize) {
  const free = { id, id_task: taskId, n_ctx: contextSize, is_processing: false };
  if (task === undefined) return free;
  const { decoded, promptTokens, limit } = task;
  return {
    ...free,
    is_processing: true,
    n_prompt_tokens: promptTokens,
    next_token: [{ has_next_token: decoded < limit, n_remain: limit - decoded, n_decoded: decoded }],
  };
}

/** @param {ReturnType<import("./engine.mjs").Engine["stats"]>} stats */
function formatMetrics(stats) {
  const rows = [
    ["prompt_tokens_total", "counter", stats.prompt_tokens],
    ["tokens_predicted_total", "counter", stats.generated_tokens],
    ["n_decode_total", "counter", stats.decodes],
    ["n_busy_slots_per_decode", "counter", stats.decodes === 0 ? 0 : stats.decoded_sequences / stats.decodes],
    ["requests_processing", "gauge", stats.concurrent],
    ["requests_deferred", "gauge", stats.waiting],
  ];
  return rows.map(([name, type, value]) => `# TYPE llamacpp:${name} ${type}\nllamacpp:${name} ${value}\n`).join("");
}
