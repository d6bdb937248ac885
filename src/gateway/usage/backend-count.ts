import { isRecord, type Json } from "../../core/json.ts";
import type { Tokens } from "../../core/units.ts";

/** POSTs JSON to a backend and returns the JSON of its answer; undefined if it answers anything but success. */
export type Ask = (path: string, body: Json) => Promise<unknown>;

/** How the backend wants to be asked. */
type Dialect = (ask: Ask, json: Json) => Promise<Tokens | undefined>;

const DIALECTS: readonly Dialect[] = [askVllm, askLlama];

/**
 * Has one backend count the input of requests, with its own tokenizer and chat template: vLLM, SGLang and NIM by
 * `/tokenize`, which takes messages; llama-server by `/apply-template`, then `/tokenize`. Which of the two it is, is found
 * out with the first request and remembered.
 */
export class BackendCounter {
  readonly #ask: Ask;
  #dialects = DIALECTS;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Undefined if the backend cannot tell, or if the request has neither messages nor one text as its prompt. */
  async count(json: Json): Promise<Tokens | undefined> {
    if (!Array.isArray(json["messages"]) && typeof json["prompt"] !== "string") return undefined;
    for (const dialect of this.#dialects) {
      const count = await dialect(this.#ask, json);
      if (count === undefined) continue;
      this.#dialects = [dialect];
      return count;
    }
    return undefined;
  }
}

async function askVllm(ask: Ask, { model, messages, tools, prompt }: Json): Promise<Tokens | undefined> {
  const body = Array.isArray(messages) ? { model, messages, ...given(tools) } : { model, prompt };
  const answer = await ask("/tokenize", body);
  // llama-server answers too, with no tokens, to a body without `content`.
  const count = isRecord(answer) ? answer["count"] : undefined;
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

async function askLlama(ask: Ask, { messages, tools, prompt }: Json): Promise<Tokens | undefined> {
  let content = prompt;
  if (Array.isArray(messages)) {
    const templated = await ask("/apply-template", { messages, ...given(tools) });
    content = isRecord(templated) ? templated["prompt"] : undefined;
  }
  if (typeof content !== "string") return undefined;
  const answer = await ask("/tokenize", { content, add_special: true });
  const tokens = isRecord(answer) ? answer["tokens"] : undefined;
  return Array.isArray(tokens) ? tokens.length : undefined;
}

function given(tools: unknown): Json {
  return tools === undefined ? {} : { tools };
}
