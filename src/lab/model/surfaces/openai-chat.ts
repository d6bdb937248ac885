import { z } from "zod";

import { limitSchema, messagesSchema, promptOfMessages, readBy } from "./body.ts";
import { openaiUsage } from "./openai-usage.ts";
import { SSE_DONE, SSE_TYPE, sseData } from "./sse.ts";
import { CREATED_SECONDS, type AnswerFacts, type AnswerFormat, type Surface } from "./types.ts";

const bodySchema = z.object({
  model: z.string().nullish(),
  messages: messagesSchema,
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: limitSchema,
  max_completion_tokens: limitSchema,
  ignore_eos: z.boolean().nullish(),
  n: z.literal(1, "only 1 is supported").nullish(),
});

/** `/v1/chat/completions` */
export const openaiChat: Surface = {
  errors: "openai",
  read: (body, defaultModel) => {
    const read = readBy(bodySchema, body);
    if ("problem" in read) return read;
    const { value } = read;
    return {
      model: value.model ?? defaultModel,
      prompt: promptOfMessages(value.messages),
      stream: value.stream ?? false,
      maxTokens: value.max_completion_tokens ?? value.max_tokens ?? undefined,
      ignoresEnd: value.ignore_eos ?? false,
      format: (facts) => createFormat(facts, value.stream_options?.include_usage ?? false),
    };
  },
};

function createFormat(facts: AnswerFacts, includesUsage: boolean): AnswerFormat {
  const head = {
    id: `chatcmpl-${facts.id}`,
    object: "chat.completion.chunk",
    created: CREATED_SECONDS,
    model: facts.model,
  };
  const chunk = (delta: object, reason: string | null): string =>
    sseData({ ...head, choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }] });
  // All chunks but their content are the same text; it is made once.
  const [before = "", after = ""] = chunk({ content: "" }, null).split('"content":""');
  return {
    streamType: SSE_TYPE,
    opening: () => chunk({ role: "assistant", content: "" }, null),
    token: (text) => `${before}"content":${JSON.stringify(text)}${after}`,
    closing: (end) => {
      const usage = openaiUsage(facts.promptTokens, end.outputTokens);
      const last = includesUsage ? sseData({ ...head, choices: [], usage }) : "";
      return chunk({}, end.reason) + last + SSE_DONE;
    },
    whole: (end) => ({
      ...head,
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: end.text(), refusal: null },
          logprobs: null,
          finish_reason: end.reason,
        },
      ],
      usage: openaiUsage(facts.promptTokens, end.outputTokens),
    }),
  };
}
