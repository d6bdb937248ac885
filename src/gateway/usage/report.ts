import { isRecord, type Json } from "../../core/json.ts";
import type { Tokens } from "../../core/units.ts";

/** What one message of a backend says about tokens. */
export interface Report {
  readonly input: Tokens | undefined;
  readonly output: Tokens | undefined;
  /** The last word, not a state on the way. */
  readonly isFinal: boolean;
}

/**
 * Reads the counts out of one message: an event's data, a line, or a whole body. Undefined if it has none.
 *
 * OpenAI, vLLM, SGLang: `usage`, where `prompt_tokens` includes what came from a cache. Responses: `response.usage`.
 * Anthropic: `usage` and `message.usage`, where cached input is counted apart from `input_tokens` and belongs to it.
 * llama-server: `tokens_evaluated` and `tokens_predicted`, or `timings`, where `cache_n` is the part of the prompt that
 * was not processed again. Ollama: `prompt_eval_count` and `eval_count`. SGLang's `/generate`: `meta_info`.
 */
export function reportOf(json: unknown): Report | undefined {
  if (!isRecord(json)) return undefined;
  const counts = countsOf(json);
  if (counts === undefined) return undefined;
  const isFinal = !isUnderway(json);
  // Embeddings and the like have no output, and some servers do not say so.
  const output = counts.output ?? (isFinal && counts.input !== undefined ? 0 : undefined);
  return { input: counts.input, output, isFinal };
}

type Counts = Omit<Report, "isFinal">;

function countsOf(json: Json): Counts | undefined {
  for (const holder of [json, json["response"], json["message"]]) {
    if (isRecord(holder) && isRecord(holder["usage"])) return usageCounts(holder["usage"]);
  }
  return (
    pair(json["tokens_evaluated"], json["tokens_predicted"]) ??
    pair(json["prompt_eval_count"], json["eval_count"]) ??
    (isRecord(json["timings"]) ? timingsCounts(json["timings"]) : undefined) ??
    (isRecord(json["meta_info"]) ? usageCounts(json["meta_info"]) : undefined)
  );
}

function usageCounts(usage: Json): Counts | undefined {
  const total = countOf(usage["total_tokens"]);
  const input = countOf(usage["prompt_tokens"]) ?? inputWithCached(usage);
  const output = countOf(usage["completion_tokens"]) ?? countOf(usage["output_tokens"]);
  if (input === undefined) return pair(output === undefined ? total : undefined, output);
  // Some servers leave the tokens of reasoning out of `completion_tokens`, but not out of the total.
  return { input, output: output === undefined ? undefined : Math.max(output, (total ?? 0) - input) };
}

function inputWithCached(usage: Json): Tokens | undefined {
  const input = countOf(usage["input_tokens"]);
  if (input === undefined) return undefined;
  return (
    input + (countOf(usage["cache_creation_input_tokens"]) ?? 0) + (countOf(usage["cache_read_input_tokens"]) ?? 0)
  );
}

function timingsCounts(timings: Json): Counts | undefined {
  const processed = countOf(timings["prompt_n"]);
  const input = processed === undefined ? undefined : processed + (countOf(timings["cache_n"]) ?? 0);
  return pair(input, timings["predicted_n"]);
}

function pair(input: unknown, output: unknown): Counts | undefined {
  const counts = { input: countOf(input), output: countOf(output) };
  return counts.input === undefined && counts.output === undefined ? undefined : counts;
}

/** Whether more is to come: Anthropic's first event, a llama-server chunk before its last, an OpenAI chunk without a reason to end. */
function isUnderway(json: Json): boolean {
  if (json["type"] === "message_start" || json["stop"] === false || json["done"] === false) return true;
  const choices = json["choices"];
  if (!Array.isArray(choices) || choices.length === 0) return false;
  return choices.every((choice) => isRecord(choice) && choice["finish_reason"] === null);
}

function countOf(value: unknown): Tokens | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
