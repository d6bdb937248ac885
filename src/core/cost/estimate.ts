import type { Tokens } from "../units.ts";
import type { Measure } from "./measure.ts";

/** A token is about four characters of English. */
export const CHARS_PER_TOKEN = 4;

/** What a picture costs in the usual vision models, roughly. */
export const TOKENS_PER_MEDIUM: Tokens = 1_000;

/** What an answer costs whose request sets no bound. */
export const TYPICAL_OUTPUT: Tokens = 256;

/** Tokens that a request will hold in the model's memory: its input, and as much output as it allows. */
export function estimateTokens(measure: Measure, maxOutputTokens: Tokens | undefined): Tokens {
  const input = Math.ceil(measure.textChars / CHARS_PER_TOKEN) + measure.media * TOKENS_PER_MEDIUM;
  return input + (maxOutputTokens ?? TYPICAL_OUTPUT);
}
