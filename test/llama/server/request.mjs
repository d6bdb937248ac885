/** Reads what the dialects have in common out of a request body. */
import { ApiError, invalid } from "./http.mjs";

/** Fields that would change the answer in ways this backend cannot follow. Refused, so that no test counts on them. */
const UNSUPPORTED = ["tools", "functions", "response_format", "grammar", "json_schema", "logit_bias", "logprobs"];

/**
 * @param {import("./engine.mjs").Engine} engine
 * @param {{ request: import("./http.mjs").Request, prompt: string | number[], limit: number, stop: readonly string[] }} parts
 *   What each dialect spells in its own way.
 * @returns {import("./generate.mjs").Job}
 */
export function createJob(engine, { request: { body, id }, prompt, limit, stop }) {
  for (const name of UNSUPPORTED) {
    if (body[name] !== undefined) throw new ApiError(501, "not_supported_error", `this backend has no '${name}'`);
  }
  if (number(body, "n", 1) !== 1) throw new ApiError(501, "not_supported_error", "this backend gives one choice");
  const seed = number(body, "seed", -1);
  return {
    prompt:
      typeof prompt === "string" ? engine.tokenize(prompt) : /** @type {import("./generate.mjs").Token[]} */ (prompt),
    limit: limit < 0 ? Infinity : limit,
    stop,
    ignoreEnd: body["ignore_eos"] === true,
    sampling: {
      temperature: number(body, "temperature", 0.8),
      topK: number(body, "top_k", 40),
      topP: number(body, "top_p", 0.95),
      minP: number(body, "min_p", 0.05),
      // Without a seed llama-server rolls one. Here it comes from the request, so that equal requests stay equal.
      seed: seed >= 0 ? seed : Number.parseInt(id.slice(0, 8), 16),
    },
  };
}

/**
 * @param {Record<string, unknown>} body
 * @param {string} name
 * @param {number} missing Stands in for an absent or null field.
 */
export function number(body, name, missing) {
  const value = body[name] ?? missing;
  if (typeof value !== "number") throw invalid(`'${name}' must be a number`);
  return value;
}

/**
 * @param {unknown} value One string, a list of strings or nothing.
 * @returns {readonly string[]}
 */
export function strings(value) {
  const list = Array.isArray(value) ? value : [value ?? []].flat();
  if (!list.every((item) => typeof item === "string" && item !== "")) throw invalid("expected non-empty strings");
  return list;
}

/**
 * Speeds are nominal, so that equal requests give equal bytes: a prompt token counts as 1 ms and a generated one as 10.
 *
 * @param {{ promptTokens: number, generatedTokens: number }} counts
 */
export function timings({ promptTokens, generatedTokens }) {
  return {
    cache_n: 0,
    prompt_n: promptTokens,
    prompt_ms: promptTokens,
    prompt_per_token_ms: 1,
    prompt_per_second: 1000,
    predicted_n: generatedTokens,
    predicted_ms: generatedTokens * 10,
    predicted_per_token_ms: 10,
    predicted_per_second: 100,
  };
}

/** @param {AsyncIterable<import("./generate.mjs").Part>} parts */
export async function collect(parts) {
  let text = "";
  /** @type {import("./generate.mjs").Ending | undefined} */
  let ending;
  for await (const part of parts) {
    if (part.kind === "end") ending = part.ending;
    else text += part.text;
  }
  if (ending === undefined) throw new Error("the answer has no end");
  return { text, ending };
}
