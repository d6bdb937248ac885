import { z } from "zod";

import { limitSchema, promptOf, promptSchema, readBy } from "./body.ts";
import { openaiUsage } from "./openai-usage.ts";
import { SSE_DONE, SSE_TYPE, sseData } from "./sse.ts";
import { CREATED_SECONDS, type AnswerFacts, type AnswerFormat, type Surface } from "./types.ts";

const bodySchema = z.object({
  model: z.string().nullish(),
  prompt: promptSchema,
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: limitSchema,
  ignore_eos: z.boolean().nullish(),
  n: z.literal(1, "only 1 is supported").nullish(),
});

/** `/v1/completions` */
export const openaiCompletions: Surface = {
  errors: "openai",
  read: (body, defaultModel) => {
    const read = readBy(bodySchema, body);
    if ("problem" in read) return read;
    const { value } = read;
    return {
      model: value.model ?? defaultModel,
      prompt: promptOf(value.prompt),
      stream: value.stream ?? false,
      maxTokens: value.max_tokens ?? undefined,
      ignoresEnd: value.ignore_eos ?? false,
      format: (facts) => createFormat(facts, value.stream_options?.include_usage ?? false),
    };
  },
};

function createFormat(facts: AnswerFacts, includesUsage: boolean): AnswerFormat {
  const head = { id: `cmpl-${facts.id}`, object: "text_completion", created: CREATED_SECONDS, model: facts.model };
  const choices = (text: string, reason: string | null): object[] => [
    { index: 0, text, logprobs: null, finish_reason: reason },
  ];
  return {
    streamType: SSE_TYPE,
    opening: () => "",
    token: (text) => sseData({ ...head, choices: choices(text, null) }),
    closing: (end) => {
      const usage = openaiUsage(facts.promptTokens, end.outputTokens);
      const last = includesUsage ? sseData({ ...head, choices: [], usage }) : "";
      return sseData({ ...head, choices: choices("", end.reason) }) + last + SSE_DONE;
    },
    whole: (end) => ({
      ...head,
      choices: choices(end.text(), end.reason),
      usage: openaiUsage(facts.promptTokens, end.outputTokens),
    }),
  };
}
