import { z } from "zod";

import { contentSchema, messagesSchema, promptOfMessages, readBy } from "./body.ts";
import { SSE_TYPE, sseEvent } from "./sse.ts";
import type { AnswerEnd, AnswerFacts, AnswerFormat, Surface } from "./types.ts";

const bodySchema = z.object({
  model: z.string().nullish(),
  system: contentSchema.nullish(),
  messages: messagesSchema,
  max_tokens: z.number().int().min(1),
  stream: z.boolean().nullish(),
  ignore_eos: z.boolean().nullish(),
});

/** `/v1/messages` */
export const anthropicMessages: Surface = {
  errors: "anthropic",
  read: (body, defaultModel) => {
    const read = readBy(bodySchema, body);
    if ("problem" in read) return read;
    const { value } = read;
    return {
      model: value.model ?? defaultModel,
      prompt: promptOfMessages(value.messages, value.system),
      stream: value.stream ?? false,
      maxTokens: value.max_tokens,
      ignoresEnd: value.ignore_eos ?? false,
      format: createFormat,
    };
  },
};

function createFormat(facts: AnswerFacts): AnswerFormat {
  const message = { id: `msg_${facts.id}`, type: "message", role: "assistant", model: facts.model };
  return {
    streamType: SSE_TYPE,
    opening: () => {
      const usage = { input_tokens: facts.promptTokens, output_tokens: 0 };
      const empty = { ...message, content: [], stop_reason: null, stop_sequence: null, usage };
      return (
        sseEvent("message_start", { message: empty }) +
        sseEvent("content_block_start", { index: 0, content_block: { type: "text", text: "" } }) +
        sseEvent("ping")
      );
    },
    token: (text) => sseEvent("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
    closing: (end) =>
      sseEvent("content_block_stop", { index: 0 }) +
      sseEvent("message_delta", {
        delta: { stop_reason: stopReason(end), stop_sequence: null },
        usage: { output_tokens: end.outputTokens },
      }) +
      sseEvent("message_stop"),
    whole: (end) => ({
      ...message,
      content: [{ type: "text", text: end.text() }],
      stop_reason: stopReason(end),
      stop_sequence: null,
      usage: { input_tokens: facts.promptTokens, output_tokens: end.outputTokens },
    }),
  };
}

function stopReason(end: AnswerEnd): "end_turn" | "max_tokens" {
  return end.reason === "stop" ? "end_turn" : "max_tokens";
}
