import { isMedia } from "../../core/cost/measure.ts";
import type { Tokens } from "../../core/units.ts";

/** What of a request reaches the model as text. */
export interface PromptText {
  readonly pieces: readonly string[];
  /** Tokens that need no tokenizer: prompts given as token ids, and what the chat format puts around messages. */
  readonly tokens: Tokens;
}

/** Fields whose text a model reads, over all surfaces. */
const PROMPT_FIELDS = ["system", "instructions", "messages", "input", "prompt", "suffix"] as const;

/** Fields that a model reads as JSON, with the names in it. */
const JSON_FIELDS = ["tools", "functions"] as const;

/**
 * What a message costs beside its text, and the beginning of the answer (OpenAI cookbook, "How to count tokens with
 * tiktoken"). Other chat templates differ by a few tokens per message.
 */
const PER_MESSAGE: Tokens = 3;
const PER_ANSWER: Tokens = 3;

/** Takes the text out of a parsed request whose nesting has been checked. Images, audio and files are left out. */
export function promptTextOf(json: Readonly<Record<string, unknown>>): PromptText {
  const pieces: string[] = [];
  let tokens = 0;
  const gather = (value: unknown): void => {
    if (typeof value === "string") {
      if (!isMedia(value)) pieces.push(value);
    } else if (Array.isArray(value)) {
      for (const element of value) {
        if (typeof element === "number") tokens += 1;
        else gather(element);
      }
    } else if (typeof value === "object" && value !== null) {
      for (const [name, element] of Object.entries(value)) if (name !== "type") gather(element);
    }
  };
  for (const field of PROMPT_FIELDS) {
    const value = json[field];
    gather(value);
    if (isMessages(value)) tokens += value.length * PER_MESSAGE + PER_ANSWER;
  }
  for (const field of JSON_FIELDS) if (json[field] !== undefined) pieces.push(JSON.stringify(json[field]));
  return { pieces, tokens };
}

/** A list of messages, as `messages` is, and `input` can be. */
function isMessages(value: unknown): value is readonly object[] {
  return Array.isArray(value) && value.some((each) => typeof each === "object" && each !== null && "role" in each);
}
