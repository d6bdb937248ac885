import type { Dispatcher } from "undici";

import type { Tokens } from "../../core/units.ts";
import type { Question } from "../load/types.ts";
import type { Api } from "../scenario/types.ts";
import { writePrompt } from "./prompt.ts";

/** `/v1/messages` takes no request without a bound. */
const MESSAGES_MAX_TOKENS: Tokens = 4_096;

const PATHS: Readonly<Record<Api, string>> = {
  chat: "/v1/chat/completions",
  completions: "/v1/completions",
  messages: "/v1/messages",
};

export interface RequestFacts {
  /** What stands before `/v1/…`. */
  readonly base: string;
  /** For questions that name none. */
  readonly model: string;
  /** Added to each question's number, so that a server that still has another run's prompts in its cache meets new ones. */
  readonly firstNumber: number;
}

/** A question as undici sends it. The question's own members of the body stand above all others. */
export function writeRequest(question: Question, facts: RequestFacts): Dispatcher.DispatchOptions {
  const body = { ...bodyOf(question, facts), ...question.body };
  return {
    method: "POST",
    path: facts.base + PATHS[question.api],
    headers: headersOf(question),
    body: JSON.stringify(body),
    reset: question.fresh,
  };
}

function bodyOf(question: Question, { model, firstNumber }: RequestFacts): object {
  const { api, number, promptTokens, maxTokens, stream } = question;
  const prompt = writePrompt(api, firstNumber + number, promptTokens);
  const messages = [{ role: "user", content: prompt }];
  const named = { model: question.model ?? model };
  const limit = maxTokens === undefined ? {} : { max_tokens: maxTokens };
  const streamed = stream ? { stream, stream_options: { include_usage: true } } : {};
  switch (api) {
    case "chat":
      return { ...named, messages, ...limit, ...streamed };
    case "completions":
      return { ...named, prompt, ...limit, ...streamed };
    case "messages":
      return { ...named, messages, max_tokens: maxTokens ?? MESSAGES_MAX_TOKENS, ...(stream && { stream }) };
  }
}

function headersOf({ api, key }: Question): Record<string, string> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (key !== "") headers["authorization"] = `Bearer ${key}`;
  if (api !== "messages") return headers;
  if (key !== "") headers["x-api-key"] = key;
  headers["anthropic-version"] = "2023-06-01";
  return headers;
}
