import { z } from "zod";

import type { Ms, Tokens } from "../../../core/units.ts";
import { tokenId } from "../tokens.ts";
import { promptOf, promptSchema, readBy } from "./body.ts";
import { SSE_TYPE, sseData } from "./sse.ts";
import type { AnswerEnd, AnswerFacts, AnswerFormat, Surface } from "./types.ts";

const bodySchema = z.object({
  model: z.string().nullish(),
  prompt: promptSchema,
  stream: z.boolean().nullish(),
  n_predict: z.number().int().nullish(),
  ignore_eos: z.boolean().nullish(),
});

/** llama-server's own `/completion`. Its stream has no `[DONE]`. A negative `n_predict` means no limit. */
export const llamaCompletion: Surface = {
  errors: "llama",
  read: (body, defaultModel) => {
    const read = readBy(bodySchema, body);
    if ("problem" in read) return read;
    const { value } = read;
    const limit = value.n_predict ?? -1;
    return {
      model: value.model ?? defaultModel,
      prompt: promptOf(value.prompt),
      stream: value.stream ?? false,
      maxTokens: limit < 0 ? undefined : limit,
      ignoresEnd: value.ignore_eos ?? false,
      format: createFormat,
    };
  },
};

function createFormat(facts: AnswerFacts): AnswerFormat {
  const last = (content: string, end: AnswerEnd): object => ({
    index: 0,
    content,
    tokens: [],
    id_slot: 0,
    stop: true,
    model: facts.model,
    tokens_predicted: end.outputTokens,
    tokens_evaluated: facts.promptTokens,
    truncated: false,
    stop_type: end.reason === "stop" ? "eos" : "limit",
    stopping_word: "",
    tokens_cached: facts.promptTokens + Math.max(0, end.outputTokens - 1),
    timings: timings(facts, end.outputTokens),
  });
  return {
    streamType: SSE_TYPE,
    opening: () => "",
    token: (text, index) =>
      sseData({
        index: 0,
        content: text,
        tokens: [tokenId(text)],
        stop: false,
        id_slot: 0,
        tokens_predicted: index + 1,
        tokens_evaluated: facts.promptTokens,
      }),
    closing: (end) => sseData(last("", end)),
    whole: (end) => last(end.text(), end),
  };
}

function timings(facts: AnswerFacts, outputTokens: Tokens): object {
  const { promptMs, outputMs } = facts.aloneTimes(outputTokens);
  return {
    cache_n: 0,
    prompt_n: facts.promptTokens,
    prompt_ms: promptMs,
    prompt_per_token_ms: promptMs / facts.promptTokens,
    prompt_per_second: perSecond(facts.promptTokens, promptMs),
    predicted_n: outputTokens,
    predicted_ms: outputMs,
    predicted_per_token_ms: outputTokens > 0 ? outputMs / outputTokens : 0,
    predicted_per_second: perSecond(outputTokens, outputMs),
  };
}

function perSecond(tokens: Tokens, ms: Ms): number {
  return ms > 0 ? (tokens / ms) * 1_000 : 0;
}
