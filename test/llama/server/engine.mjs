/**
 * The model and its slots. Each slot is a sequence of one llama.cpp context; what runs at the same time is computed
 * together.
 *
 * Answers depend on the request alone. A sequence is emptied after use, so nothing is left of the request before it, and
 * sampling is seeded. (On one machine: another kind of processor may round differently.)
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LlamaLogLevel, getLlama } from "node-llama-cpp";
import { countDecodes, createSteps } from "./batches.mjs";
import { generate } from "./generate.mjs";
import { ApiError } from "./http.mjs";
import { createModelFile } from "./model.mjs";
import { SlotPool } from "./slots.mjs";
import { createWatch } from "./watch.mjs";

/** This one was picked because its answers differ early. */
const MODEL_SEED = 3;
/** The most tokens of one decode call. */
const BATCH_SIZE = 512;
/** More threads cost more than they bring at this model's size, and tests share their cores. */
const THREADS = 1;

/**
 * @typedef {import("node-llama-cpp").Token} Token
 * @typedef {import("./generate.mjs").Job} Job
 * @typedef {import("./generate.mjs").Part} Part
 * @typedef {import("./slots.mjs").Slot} Slot
 * @typedef {Awaited<ReturnType<typeof createEngine>>} Engine
 */

/** @param {{ slots: number, contextSize: number }} options `contextSize` is the number of tokens of each slot. */
export async function createEngine({ slots, contextSize }) {
  const model = await loadModel();
  const decodes = { decodes: 0, decoded_sequences: 0, max_sequences_per_decode: 0 };
  const context = await model.createContext({
    sequences: slots,
    contextSize,
    batchSize: BATCH_SIZE,
    threads: THREADS,
    flashAttention: false,
    // What is computed together differs from run to run, and with it the last bits of every sum. Rounding them to 16 bits
    // for the cache would let them grow until another word is chosen.
    experimentalKvCacheKeyType: "F32",
    experimentalKvCacheValueType: "F32",
    batching: { itemPrioritizationStrategy: countDecodes(decodes) },
  });
  const embeddings = await model.createEmbeddingContext({ contextSize, batchSize: BATCH_SIZE, threads: THREADS });
  const pool = new SlotPool(
    Array.from({ length: slots }, (_, id) => ({ id, sequence: context.getSequence(), taskId: -1, task: undefined })),
  );
  const step = createSteps();
  const stepTokens = Math.max(1, Math.floor(BATCH_SIZE / slots));
  const counters = { started: 0, completed: 0, aborted: 0, prompt_tokens: 0, generated_tokens: 0 };

  const stats = () => ({
    slots,
    concurrent: pool.busy,
    max_concurrent_seen: pool.mostBusy,
    waiting: pool.waiting,
    max_waiting_seen: pool.mostWaiting,
    ...counters,
    ...decodes,
  });
  const watch = createWatch(stats);

  /**
   * Runs `work` in a slot, once it is this request's turn. The slot is free again before the last result is known to be
   * the last, so a client that has its whole answer finds room for its next request.
   *
   * @template T
   * @param {{ promptTokens: number, limit: number, signal: AbortSignal }} request
   * @param {(slot: Slot, task: import("./slots.mjs").Task) => AsyncGenerator<T, void, undefined>} work
   * @returns {AsyncGenerator<T, void, undefined>}
   */
  async function* inSlot({ promptTokens, limit, signal }, work) {
    const task = { promptTokens, limit, decoded: 0 };
    let completed = false;
    counters.started++;
    try {
      const turn = pool.acquire(task, signal);
      watch.changed();
      const slot = await turn;
      watch.changed();
      counters.prompt_tokens += promptTokens;
      try {
        yield* work(slot, task);
        completed = true;
      } finally {
        counters.generated_tokens += task.decoded;
        await slot.sequence.clearHistory();
        pool.release(slot);
      }
    } finally {
      counters[completed ? "completed" : "aborted"]++;
      watch.changed();
    }
  }

  return {
    contextSize,
    model,
    slots: pool.slots,
    stats,

    /** Resolves once the statistics have these values. @type {ReturnType<typeof createWatch>["when"]} */
    when: (wanted, signal) => watch.when(wanted, signal),

    /**
     * @param {string} text
     * @param {{ addSpecial?: boolean, parseSpecial?: boolean }} [options] Put the beginning token first; read control
     *   tokens that are spelled out.
     * @returns {Token[]}
     */
    tokenize(text, { addSpecial = true, parseSpecial = true } = {}) {
      const begin = addSpecial && model.tokens.bos !== null ? [model.tokens.bos] : [];
      return [...begin, ...model.tokenize(text, parseSpecial)];
    },

    /**
     * Abort the signal to leave, whether waiting or running.
     *
     * @param {Job} job
     * @param {AbortSignal} signal
     * @returns {AsyncGenerator<Part, void, undefined>}
     */
    run(job, signal) {
      const promptTokens = job.prompt.length;
      if (promptTokens >= contextSize) throw tooLong(promptTokens, contextSize);
      const limit = Math.min(job.limit, contextSize - promptTokens);
      return inSlot({ promptTokens, limit, signal }, (slot, task) =>
        generate({ model, job, slot, task, step, stepTokens, signal }),
      );
    },

    /**
     * @param {string} text
     * @param {AbortSignal} signal
     * @returns {Promise<readonly number[]>}
     */
    async embed(text, signal) {
      const promptTokens = this.tokenize(text).length;
      if (promptTokens >= contextSize) throw tooLong(promptTokens, contextSize);
      /** @type {readonly number[]} */
      let vector = [];
      const work = inSlot({ promptTokens, limit: 0, signal }, async function* () {
        yield (await embeddings.getEmbeddingFor(text)).vector;
      });
      for await (const result of work) vector = result;
      return vector;
    },
  };
}

/** The file lives only while llama.cpp reads it: without memory mapping the weights are copied. */
async function loadModel() {
  // Apple's prebuilt package is the Metal one; with no layers on the GPU it computes on the processor all the same.
  const gpu = process.platform === "darwin" && process.arch === "arm64" ? "metal" : false;
  const llama = await getLlama({ gpu, build: "never", logLevel: LlamaLogLevel.warn });
  const directory = await mkdtemp(join(tmpdir(), "headgate-llama-"));
  try {
    const modelPath = join(directory, "model.gguf");
    await writeFile(modelPath, createModelFile(MODEL_SEED));
    return await llama.loadModel({ modelPath, gpuLayers: 0, useMmap: false });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * @param {number} promptTokens
 * @param {number} contextSize
 */
function tooLong(promptTokens, contextSize) {
  return new ApiError(400, "exceed_context_size_error", "the request exceeds the available context size", {
    n_prompt_tokens: promptTokens,
    n_ctx: contextSize,
  });
}
