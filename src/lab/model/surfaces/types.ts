import type { Ms, Tokens } from "../../../core/units.ts";

/** In whose words an error is said. */
export type ErrorDialect = "openai" | "anthropic" | "ollama" | "llama";

/** What a request body asks for. */
export interface Call {
  readonly model: string;
  readonly prompt: Prompt;
  readonly stream: boolean;
  /** `undefined` where the client sets no limit. */
  readonly maxTokens: Tokens | undefined;
  /** Runs to the limit, or to the end of the context. */
  readonly ignoresEnd: boolean;
  format(facts: AnswerFacts): AnswerFormat;
}

export interface Prompt {
  /** What the answer is a function of. */
  readonly text: string;
  /** At least 1. */
  readonly tokens: Tokens;
}

/** Why a body is no request: a sentence, and the field where known. */
export interface Problem {
  readonly problem: string;
  readonly param: string | undefined;
}

/** What is known of an answer before its first token. */
export interface AnswerFacts {
  /** 24 hexadecimal digits. */
  readonly id: string;
  readonly model: string;
  readonly promptTokens: Tokens;
  readonly maxTokens: Tokens | undefined;
  /** How long `outputTokens` take when nothing else runs. */
  aloneTimes(outputTokens: Tokens): AloneTimes;
}

export interface AloneTimes {
  readonly promptMs: Ms;
  readonly outputMs: Ms;
}

/** What is known of an answer at its end. */
export interface AnswerEnd {
  readonly reason: "stop" | "length";
  readonly outputTokens: Tokens;
  text(): string;
}

/** The bytes of one answer. */
export interface AnswerFormat {
  /** Content type of the streamed form. */
  readonly streamType: string;
  /** Before the first token. */
  opening(): string;
  token(text: string, index: number): string;
  /** After the last token. */
  closing(end: AnswerEnd): string;
  /** The whole answer as one JSON value. */
  whole(end: AnswerEnd): unknown;
}

/** One wire format of one path. */
export interface Surface {
  readonly errors: ErrorDialect;
  read(body: unknown, defaultModel: string): Call | Problem;
}

/** When every answer says it was made. A constant, so that answers can be compared byte for byte. */
export const CREATED_SECONDS = 1_700_000_000;
/** The same instant for Ollama. */
export const CREATED_AT = "2023-11-14T22:13:20Z";
