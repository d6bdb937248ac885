import { isRecord, type Json } from "../../core/json.ts";
import type { Tokens } from "../../core/units.ts";
import type { AnswerEnd } from "../load/types.ts";

/** What an answer says of its tokens, taken from its pieces: what comes later stands above what came before. */
export class ReportedUsage {
  #input: Tokens | undefined;
  #output: Tokens | undefined;

  /** Takes what a piece of an answer, or a whole one, says: `usage` itself, or that of a `message` in it. */
  take(value: unknown): void {
    if (!isRecord(value)) return;
    if (isRecord(value["message"])) this.take(value["message"]);
    const { usage } = value;
    if (!isRecord(usage)) return;
    this.#input = inputOf(usage) ?? this.#input;
    this.#output = countOf(usage["completion_tokens"]) ?? countOf(usage["output_tokens"]) ?? this.#output;
  }

  complete(): AnswerEnd {
    return { kind: "complete", inputTokens: this.#input, outputTokens: this.#output };
  }
}

/** `/v1/messages` tells apart what came from a cache and what did not. */
function inputOf(usage: Json): Tokens | undefined {
  const prompt = countOf(usage["prompt_tokens"]);
  const fresh = countOf(usage["input_tokens"]);
  if (prompt !== undefined || fresh === undefined) return prompt;
  const cached = countOf(usage["cache_read_input_tokens"]) ?? 0;
  return fresh + cached + (countOf(usage["cache_creation_input_tokens"]) ?? 0);
}

function countOf(value: unknown): Tokens | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
