import type { Tokens } from "../../../core/units.ts";

export function openaiUsage(promptTokens: Tokens, outputTokens: Tokens): object {
  return { prompt_tokens: promptTokens, completion_tokens: outputTokens, total_tokens: promptTokens + outputTokens };
}
