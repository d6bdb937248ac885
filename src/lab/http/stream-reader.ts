import { parseJson } from "../../core/json.ts";
import type { AnswerEnd } from "../load/types.ts";
import type { Api } from "../scenario/types.ts";
import type { AnswerReader } from "./answer-reader.ts";
import { ReportedUsage } from "./usage.ts";

/** A line that is longer is no event of a model. */
const MOST_LINE = 4 * 2 ** 20;

/**
 * What to look for in the data of one event. In JSON a quote inside a string has a backslash before it, so what looks like a
 * member with a value is one.
 */
interface Signs {
  /** It holds content: text that is not empty, or a call of a tool. */
  readonly content: RegExp;
  /** The model says why it ends. Where the body then ends in good order, all is there. */
  readonly reason: RegExp | undefined;
  /** The last event: nothing that matters comes after it. */
  readonly last: RegExp;
}

const FINISH_REASON = /"finish_reason"\s*:\s*"/;
const DONE = /^\[DONE\]$/;

const SIGNS: Readonly<Record<Api, Signs>> = {
  chat: {
    content: /"(?:content|reasoning_content|reasoning)"\s*:\s*"[^"]|"tool_calls"\s*:\s*\[\s*\{/,
    reason: FINISH_REASON,
    last: DONE,
  },
  completions: { content: /"text"\s*:\s*"[^"]/, reason: FINISH_REASON, last: DONE },
  messages: {
    content: /"content_block_delta".*"(?:text|thinking|partial_json)"\s*:\s*"[^"]/,
    reason: undefined,
    last: /"type"\s*:\s*"message_stop"/,
  },
};

const USAGE = /"usage"\s*:\s*\{/;
/** Some servers end a stream in good order after they have told of an error in it. */
const ERROR = /^\{\s*(?:"(?:type|object)"\s*:\s*"error"|"error"\s*:\s*[{"])/;

/**
 * Reads an answer that comes as server-sent events, cut anywhere. Only the events with counts of tokens are parsed: they are
 * few. Bytes are taken as Latin-1: all signs are ASCII, and no byte of a longer character is.
 */
export class StreamReader implements AnswerReader {
  readonly #signs: Signs;
  readonly #usage = new ReportedUsage();
  /** What has come of a line whose end has not. */
  #begun = "";
  #said: "nothing" | "why it ends" | "all" | "an error" = "nothing";

  constructor(api: Api) {
    this.#signs = SIGNS[api];
  }

  push(bytes: Buffer): number {
    const text = this.#begun + bytes.toString("latin1");
    let pieces = 0;
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      if (this.#readLine(text, start, end)) pieces += 1;
      start = end + 1;
    }
    this.#begun = text.slice(start);
    if (this.#begun.length > MOST_LINE) {
      this.#begun = "";
      this.#said = "an error";
    }
    return pieces;
  }

  finish(): { readonly content: number; readonly end: AnswerEnd } {
    const content = this.#readLine(this.#begun, 0, this.#begun.length) ? 1 : 0;
    const isWhole = this.#said === "all" || this.#said === "why it ends";
    return { content, end: isWhole ? this.#usage.complete() : { kind: "incomplete" } };
  }

  /** What was cut off after the last event is no loss. */
  cut(): AnswerEnd {
    return this.#said === "all" ? this.#usage.complete() : { kind: "incomplete" };
  }

  /** Whether the line is an event with content. */
  #readLine(text: string, start: number, end: number): boolean {
    if (!text.startsWith("data:", start)) return false;
    const data = text.slice(start + 5, end).trim();
    if (USAGE.test(data)) this.#usage.take(parseJson(data));
    this.#noteEnding(data);
    return this.#signs.content.test(data);
  }

  #noteEnding(data: string): void {
    const { reason, last } = this.#signs;
    if (this.#said === "an error") return;
    if (ERROR.test(data)) this.#said = "an error";
    else if (last.test(data)) this.#said = "all";
    else if (this.#said === "nothing" && reason?.test(data) === true) this.#said = "why it ends";
  }
}
