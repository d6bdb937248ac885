import { createRandom, drawNormal, type Random } from "../../core/random.ts";
import type { Tokens } from "../../core/units.ts";
import { hashOf } from "./hash.ts";

/** How long answers are when nothing ends them early: log-normal around the median, cut at both ends. */
export interface OutputLength {
  readonly medianTokens: Tokens;
  /** Standard deviation of the logarithm; 0 makes every answer as long as the median. */
  readonly spread: number;
  readonly minTokens: Tokens;
  readonly maxTokens: Tokens;
}

/** All that chance decides about one answer: a function of the seed, the prompt and the output limit. */
export interface Fate {
  /** 24 hexadecimal digits. Depends on the limit, too. */
  readonly id: string;
  /** Tokens until the model stops by itself. */
  readonly naturalTokens: Tokens;
  /** Gives the answer's tokens from the first on. */
  words(): () => string;
}

// With a space before and a full stop behind, a sentence's last word is still one token of 6 bytes.
const LAST_WORDS = "bank calm deep dry flow full gate lake lock mill open weir".split(" ");
const WORDS = (
  "a again all and at below by canal clear dam ditch each every field for from goes half head in into is it keeps level " +
  "many meets mud never of on one over past pipe pond pool pump rain reeds river share slow some spill still takes the " +
  "then to turns under until water wide"
).split(" ");

/** Draws what the answer to `prompt` will be. */
export function drawFate(seed: number, prompt: string, { output, maxTokens }: FateOptions): Fate {
  const { high, low } = hashOf(seed, prompt);
  const limitSalt = Math.imul(maxTokens === undefined ? 0 : maxTokens + 1, 0x9e3779b1) >>> 0;
  const naturalTokens = drawLength(createRandom(low), output);
  return {
    id: hex(high) + hex(low) + hex((limitSalt ^ seed) >>> 0),
    naturalTokens,
    words: () => createWords(createRandom(high), naturalTokens),
  };
}

export interface FateOptions {
  readonly output: OutputLength;
  readonly maxTokens: Tokens | undefined;
}

/** Tokens until a model stops by itself. */
export function drawLength(random: Random, { medianTokens, spread, minTokens, maxTokens }: OutputLength): Tokens {
  const drawn = Math.round(medianTokens * Math.exp(spread * drawNormal(random)));
  return Math.min(maxTokens, Math.max(minTokens, drawn));
}

/** Sentences, one token per call. The one before the natural end closes its sentence. */
function createWords(random: Random, naturalTokens: Tokens): () => string {
  let index = 0;
  let inSentence = 0;
  return () => {
    index += 1;
    inSentence += 1;
    const starts = inSentence === 1;
    const closes = index === naturalTokens || (inSentence > 4 && random() < 0.15);
    const list = closes ? LAST_WORDS : WORDS;
    const word = list[Math.floor(random() * list.length)] ?? "";
    if (closes) inSentence = 0;
    const cased = starts ? word.charAt(0).toUpperCase() + word.slice(1) : word;
    return `${index === 1 ? "" : " "}${cased}${closes ? "." : ""}`;
  };
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
