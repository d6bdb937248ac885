import type { Tokens } from "../../core/units.ts";
import { isRecord, type Json } from "../../core/json.ts";
import type { Usage } from "../run/result.ts";

/** What an answer says that it used. OpenAI's surfaces, and Anthropic's, where input from a cache is counted apart. */
export function usageOf(body: unknown): Usage {
  const usage = isRecord(body) ? body["usage"] : undefined;
  if (!isRecord(usage)) return { input: undefined, output: undefined };
  const input = count(usage["prompt_tokens"]) ?? withCached(usage);
  const output = count(usage["completion_tokens"]) ?? count(usage["output_tokens"]);
  // Embeddings have no output, and do not say so.
  return { input, output: output ?? (input === undefined ? undefined : 0) };
}

/** Whether an answer ended before the model had done, at its bound or in a filter. */
export function isCut(body: unknown): boolean {
  if (!isRecord(body)) return false;
  const { choices, stop_reason: stopReason, status } = body;
  if (stopReason === "max_tokens" || status === "incomplete") return true;
  if (!Array.isArray(choices)) return false;
  return choices.some(
    (choice) =>
      isRecord(choice) && (choice["finish_reason"] === "length" || choice["finish_reason"] === "content_filter"),
  );
}

function withCached(usage: Json): Tokens | undefined {
  const input = count(usage["input_tokens"]);
  if (input === undefined) return undefined;
  return input + (count(usage["cache_creation_input_tokens"]) ?? 0) + (count(usage["cache_read_input_tokens"]) ?? 0);
}

function count(value: unknown): Tokens | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
