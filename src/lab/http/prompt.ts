import type { Tokens } from "../../core/units.ts";
import type { Api } from "../scenario/types.ts";

/** Short words that common tokenizers and the simulated one count as one token each, with the space before them. */
const FILLER =
  " the gate at head of a canal keeps water fair for all below it and when rain fills river each field still takes its share";
const FILLER_ENDS = endsOfWords(FILLER);

/** Five letters name so many prompts apart. */
const LETTERS = 5;
const NAMES = 26 ** LETTERS;
/** Odd and no multiple of 13, so that no two numbers below `NAMES` get the same name; it spreads neighbours far apart. */
const SPREAD = 7_368_787;

/** What a chat template puts around a single message, as the simulated model counts it. */
const TEMPLATE_TOKENS: Readonly<Record<Api, Tokens>> = { chat: 4, messages: 4, completions: 0 };

/**
 * A prompt that the simulated model counts as `tokens`, template included; real ones count about as many. Its first word is
 * another one for every number (of 11.8 million), so that no cache of prefixes can serve it. At least one word.
 */
export function writePrompt(api: Api, number: number, tokens: Tokens): string {
  return firstWord(number) + filler(Math.max(1, Math.round(tokens) - TEMPLATE_TOKENS[api]) - 1);
}

function firstWord(number: number): string {
  let left = ((number % NAMES) * SPREAD) % NAMES;
  let word = "";
  for (let index = 0; index < LETTERS; index++) {
    word += String.fromCharCode(97 + (left % 26));
    left = Math.floor(left / 26);
  }
  return word;
}

function filler(words: number): string {
  const rounds = Math.floor(words / FILLER_ENDS.length);
  const rest = words % FILLER_ENDS.length;
  return FILLER.repeat(rounds) + FILLER.slice(0, rest === 0 ? 0 : FILLER_ENDS[rest - 1]);
}

/** Where each word ends. */
function endsOfWords(text: string): readonly number[] {
  return [...text.matchAll(/ \w+/g)].map(({ index, 0: word }) => index + word.length);
}
