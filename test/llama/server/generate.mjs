/**
 * One answer, token by token.
 *
 * @typedef {import("node-llama-cpp").Token} Token
 * @typedef {{ temperature: number, topK: number, topP: number, minP: number, seed: number }} Sampling
 * @typedef {{ prompt: Token[], limit: number, stop: readonly string[], ignoreEnd: boolean, sampling: Sampling }} Job
 *   `limit`: the most tokens to generate, Infinity for as many as fit. `ignoreEnd`: write up to the limit.
 * @typedef {{
 *   model: import("node-llama-cpp").LlamaModel,
 *   job: Job,
 *   slot: import("./slots.mjs").Slot,
 *   task: import("./slots.mjs").Task,
 *   step: import("./batches.mjs").Step,
 *   stepTokens: number,
 *   signal: AbortSignal,
 * }} Running `stepTokens`: how much of a prompt goes into one step.
 * @typedef {{ type: "eos" | "word" | "limit", word: string }} Cause
 * @typedef {Cause & { promptTokens: number, generatedTokens: number }} Ending
 * @typedef {{ kind: "text", text: string } | { kind: "end", ending: Ending }} Part A text part for each token, empty where
 *   a stop string may be starting, and then one end.
 */
import { createStopFinder } from "./stop.mjs";

/**
 * @param {Running} running
 * @returns {AsyncGenerator<Part, void, undefined>}
 */
export async function* generate(running) {
  const { model, job, task } = running;
  const finder = createStopFinder(job.stop);
  /** @type {Cause} */
  let cause = { type: "limit", word: "" };

  for await (const token of sample(running)) {
    if (model.isEogToken(token)) {
      cause = { type: "eos", word: "" };
      break;
    }
    task.decoded++;
    const { text, word } = finder.push(model.detokenize([token]));
    yield { kind: "text", text };
    if (word !== undefined) {
      cause = { type: "word", word };
      break;
    }
  }
  if (cause.type !== "word" && finder.rest() !== "") yield { kind: "text", text: finder.rest() };
  yield { kind: "end", ending: { ...cause, promptTokens: task.promptTokens, generatedTokens: task.decoded } };
}

/**
 * What the model says next, as often as the task allows. A job that ignores the end of the text gets a full stop there.
 *
 * @param {Running} running
 * @returns {AsyncGenerator<Token, void, undefined>}
 */
async function* sample({ model, job, slot, task, step, stepTokens, signal }) {
  const { sequence } = slot;
  const [fullStop] = model.tokenize(".");
  let prompt = job.prompt;
  while (prompt.length > stepTokens) {
    const part = prompt.slice(0, stepTokens);
    await step(() => sequence.evaluateWithoutGeneratingNewTokens(part));
    signal.throwIfAborted();
    prompt = prompt.slice(stepTokens);
  }

  const tokens = sequence.evaluate(prompt, { ...job.sampling, yieldEogToken: true });
  /** @type {Token | undefined} */
  let replacement;
  try {
    for (let left = task.limit; left > 0; left--) {
      const next = await step(() => tokens.next(replacement));
      signal.throwIfAborted();
      if (next.done) return;
      replacement = job.ignoreEnd && model.isEogToken(next.value) ? fullStop : undefined;
      yield replacement ?? next.value;
    }
  } finally {
    await tokens.return();
  }
}
