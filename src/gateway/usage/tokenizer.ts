import type { Tokens } from "../../core/units.ts";
import { promptTextOf } from "./prompt-text.ts";

/** The encodings of OpenAI's models: GPT-3.5 and 4; GPT-4o and later; gpt-oss. */
export const ENCODINGS = ["cl100k", "o200k", "o200k_harmony"] as const;

export type Encoding = (typeof ENCODINGS)[number];

/** Longer prompts are not counted: their estimate has to do. Half a second of work, at the usual speed of the worst text. */
const MOST_CHARS = 262_144;

/**
 * Characters encoded in one go. To encode a text without word boundaries takes time with the square of its length, so this
 * bounds the time of one go to a few milliseconds.
 */
const SLICE_CHARS = 2_048;

/** A space before a word, where all of the encodings begin a new piece: a cut there changes no count. */
const WORD_BOUNDARY = /[^\s](?= [A-Za-z])/g;

type Count = (text: string) => Tokens;

const loaded = new Map<Encoding, Promise<Count>>();

/**
 * How many tokens a request's input is in one of OpenAI's encodings: exact for its text; what the chat template adds is
 * OpenAI's published rule. Images and audio are left out. Undefined if there is more than `mostChars` of text.
 *
 * The first call for an encoding loads its tables: about 0.15 s and 60 MB. Lets others run after every 2,048 characters.
 * Text of which 2,048 characters have no space before a letter is cut anyhow, which can add a token per cut.
 */
export async function countTokens(
  json: Readonly<Record<string, unknown>>,
  encoding: Encoding,
  mostChars: number = MOST_CHARS,
): Promise<Tokens | undefined> {
  const { pieces, tokens } = promptTextOf(json);
  const chars = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (chars > mostChars) return undefined;
  const count = await load(encoding);
  let sum = tokens;
  let sinceBreak = 0;
  for (const piece of pieces) {
    for (let start = 0; start < piece.length;) {
      const end = sliceEnd(piece, start);
      sum += count(piece.slice(start, end));
      sinceBreak += end - start;
      start = end;
      if (sinceBreak >= SLICE_CHARS) await othersRun();
      if (sinceBreak >= SLICE_CHARS) sinceBreak = 0;
    }
  }
  return sum;
}

/** The last word boundary within a slice, else its end, but never inside a surrogate pair. */
function sliceEnd(text: string, start: number): number {
  const end = start + SLICE_CHARS;
  if (end >= text.length) return text.length;
  let boundary = -1;
  for (const match of text.slice(start, end + 2).matchAll(WORD_BOUNDARY)) boundary = match.index + 1;
  if (boundary > 0 && boundary <= SLICE_CHARS) return start + boundary;
  const isPair = (text.codePointAt(end - 1) ?? 0) > 0xffff;
  return isPair ? end - 1 : end;
}

function othersRun(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function load(encoding: Encoding): Promise<Count> {
  const known = loaded.get(encoding);
  if (known !== undefined) return known;
  const loading = tablesOf(encoding).then((tables) => {
    // Words such as <|endoftext|> in a prompt are text.
    const options = { disallowedSpecial: new Set<string>() };
    return (text: string): Tokens => tables.countTokens(text, options);
  });
  loaded.set(encoding, loading);
  return loading;
}

interface Tables {
  countTokens(text: string, options: { disallowedSpecial: Set<string> }): number;
}

function tablesOf(encoding: Encoding): Promise<Tables> {
  switch (encoding) {
    case "cl100k":
      return import("gpt-tokenizer/encoding/cl100k_base");
    case "o200k":
      return import("gpt-tokenizer/encoding/o200k_base");
    case "o200k_harmony":
      return import("gpt-tokenizer/encoding/o200k_harmony");
  }
}
