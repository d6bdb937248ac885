import { z } from "zod";

import type { Tokens } from "../../../core/units.ts";
import { contentSchema, limitSchema, messagesSchema, promptOfMessages, readBy } from "./body.ts";
import { SSE_TYPE, sseEvent } from "./sse.ts";
import { CREATED_SECONDS, type AnswerEnd, type AnswerFacts, type AnswerFormat, type Surface } from "./types.ts";

const bodySchema = z.object({
  model: z.string().nullish(),
  input: z.union([z.string(), messagesSchema]),
  instructions: contentSchema.nullish(),
  stream: z.boolean().nullish(),
  max_output_tokens: limitSchema,
  ignore_eos: z.boolean().nullish(),
});

/** `/v1/responses` */
export const openaiResponses: Surface = {
  errors: "openai",
  read: (body, defaultModel) => {
    const read = readBy(bodySchema, body);
    if ("problem" in read) return read;
    const { value } = read;
    const messages = typeof value.input === "string" ? [{ role: "user", content: value.input }] : value.input;
    return {
      model: value.model ?? defaultModel,
      prompt: promptOfMessages(messages, value.instructions),
      stream: value.stream ?? false,
      maxTokens: value.max_output_tokens ?? undefined,
      ignoresEnd: value.ignore_eos ?? false,
      format: createFormat,
    };
  },
};

/** Events before the first token, which take the sequence numbers from 0. */
const OPENING_EVENTS = 4;

function createFormat(facts: AnswerFacts): AnswerFormat {
  const place = { item_id: `msg_${facts.id}`, output_index: 0, content_index: 0 };
  const part = (text: string): object => ({ type: "output_text", text, annotations: [], logprobs: [] });
  const item = (status: string, content: readonly object[]): object => ({
    id: place.item_id,
    type: "message",
    status,
    role: "assistant",
    content,
  });
  const finished = (end: AnswerEnd): object => {
    const status = statusOf(end);
    return {
      ...responseObject(facts, status, [item(status, [part(end.text())])]),
      usage: usageOf(facts.promptTokens, end.outputTokens),
    };
  };
  return {
    streamType: SSE_TYPE,
    opening: () => {
      const response = responseObject(facts, "in_progress", []);
      return (
        sseEvent("response.created", { sequence_number: 0, response }) +
        sseEvent("response.in_progress", { sequence_number: 1, response }) +
        sseEvent("response.output_item.added", { sequence_number: 2, output_index: 0, item: item("in_progress", []) }) +
        sseEvent("response.content_part.added", { sequence_number: 3, ...place, part: part("") })
      );
    },
    token: (text, index) => {
      const sequence_number = OPENING_EVENTS + index;
      return sseEvent("response.output_text.delta", { sequence_number, ...place, delta: text, logprobs: [] });
    },
    closing: (end) => {
      const text = end.text();
      const status = statusOf(end);
      const next = OPENING_EVENTS + end.outputTokens;
      const done = item(status, [part(text)]);
      return (
        sseEvent("response.output_text.done", { sequence_number: next, ...place, text, logprobs: [] }) +
        sseEvent("response.content_part.done", { sequence_number: next + 1, ...place, part: part(text) }) +
        sseEvent("response.output_item.done", { sequence_number: next + 2, output_index: 0, item: done }) +
        sseEvent(`response.${status}`, { sequence_number: next + 3, response: finished(end) })
      );
    },
    whole: finished,
  };
}

function statusOf(end: AnswerEnd): "completed" | "incomplete" {
  return end.reason === "stop" ? "completed" : "incomplete";
}

function responseObject(
  facts: AnswerFacts,
  status: "in_progress" | "completed" | "incomplete",
  output: readonly object[],
): object {
  return {
    id: `resp_${facts.id}`,
    object: "response",
    created_at: CREATED_SECONDS,
    status,
    error: null,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    instructions: null,
    max_output_tokens: facts.maxTokens ?? null,
    metadata: {},
    model: facts.model,
    output,
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    usage: null,
  };
}

function usageOf(inputTokens: Tokens, outputTokens: Tokens): object {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  };
}
