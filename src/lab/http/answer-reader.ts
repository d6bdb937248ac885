import type { IncomingHttpHeaders } from "node:http";

import type { AnswerEnd } from "../load/types.ts";
import type { Api } from "../scenario/types.ts";
import { StreamReader } from "./stream-reader.ts";
import { WholeReader } from "./whole-reader.ts";

/** Reads the body of one answer. */
export interface AnswerReader {
  /** How many pieces of content ended in these bytes. */
  push(bytes: Buffer): number;
  /** The body has come whole. `content`: the pieces that show only now. */
  finish(): { readonly content: number; readonly end: AnswerEnd };
  /** The body was cut off. */
  cut(): AnswerEnd;
}

/** The reader for an answer that begins like this. What matters is what comes, not what was asked for. */
export function readerFor(api: Api, status: number, headers: IncomingHttpHeaders): AnswerReader {
  if (status !== 200) return new ErrorReader();
  const isStream = String(headers["content-type"]).startsWith("text/event-stream");
  return isStream ? new StreamReader(api) : new WholeReader();
}

/** Nothing in an error is content. It is complete when it has come whole. */
class ErrorReader implements AnswerReader {
  push(): number {
    return 0;
  }

  finish(): { readonly content: number; readonly end: AnswerEnd } {
    return { content: 0, end: { kind: "complete", inputTokens: undefined, outputTokens: undefined } };
  }

  cut(): AnswerEnd {
    return { kind: "incomplete" };
  }
}
