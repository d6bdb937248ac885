import { z } from "zod";

import { messagesSchema, promptOfMessages, promptOfText, readBy } from "./body.ts";
import {
  CREATED_AT,
  type AnswerEnd,
  type AnswerFacts,
  type AnswerFormat,
  type Call,
  type Prompt,
  type Surface,
} from "./types.ts";

const NS_PER_MS = 1e6;
const LOAD_NS = 1e6;

const commonSchema = z.object({
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  options: z.object({ num_predict: z.number().int().nullish() }).nullish(),
});
const chatSchema = commonSchema.extend({ messages: messagesSchema });
const generateSchema = commonSchema.extend({ prompt: z.string(), system: z.string().nullish() });

/** `/api/chat` */
export const ollamaChat: Surface = {
  errors: "ollama",
  read: (body, defaultModel) => {
    const read = readBy(chatSchema, body);
    if ("problem" in read) return read;
    const content = (text: string): object => ({ message: { role: "assistant", content: text } });
    return createCall(read.value, { defaultModel, prompt: promptOfMessages(read.value.messages), content });
  },
};

/** `/api/generate` */
export const ollamaGenerate: Surface = {
  errors: "ollama",
  read: (body, defaultModel) => {
    const read = readBy(generateSchema, body);
    if ("problem" in read) return read;
    const { prompt, system } = read.value;
    const whole = promptOfText(system === undefined || system === null ? prompt : `${system}\n${prompt}`);
    return createCall(read.value, { defaultModel, prompt: whole, content: (text) => ({ response: text }) });
  },
};

interface CallParts {
  readonly defaultModel: string;
  readonly prompt: Prompt;
  /** Where a piece of text stands in a line. */
  readonly content: (text: string) => object;
}

/** A negative `num_predict` means no limit. */
function createCall(body: z.infer<typeof commonSchema>, { defaultModel, prompt, content }: CallParts): Call {
  const limit = body.options?.num_predict ?? -1;
  return {
    model: body.model ?? defaultModel,
    prompt,
    stream: body.stream ?? true,
    maxTokens: limit < 0 ? undefined : limit,
    ignoresEnd: false,
    format: (facts) => createFormat(facts, content),
  };
}

function createFormat(facts: AnswerFacts, content: CallParts["content"]): AnswerFormat {
  const head = { model: facts.model, created_at: CREATED_AT };
  const last = (text: string, end: AnswerEnd): object => {
    const { promptMs, outputMs } = facts.aloneTimes(end.outputTokens);
    return {
      ...head,
      ...content(text),
      done: true,
      done_reason: end.reason,
      total_duration: LOAD_NS + Math.round((promptMs + outputMs) * NS_PER_MS),
      load_duration: LOAD_NS,
      prompt_eval_count: facts.promptTokens,
      prompt_eval_duration: Math.round(promptMs * NS_PER_MS),
      eval_count: end.outputTokens,
      eval_duration: Math.round(outputMs * NS_PER_MS),
    };
  };
  return {
    streamType: "application/x-ndjson",
    opening: () => "",
    token: (text) => `${JSON.stringify({ ...head, ...content(text), done: false })}\n`,
    closing: (end) => `${JSON.stringify(last("", end))}\n`,
    whole: (end) => last(end.text(), end),
  };
}
