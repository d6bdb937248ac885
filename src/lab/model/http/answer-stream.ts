import type { ServerResponse } from "node:http";

import type { Tokens } from "../../../core/units.ts";
import type { SequenceEnding, SequenceListener } from "../engine-types.ts";
import type { AnswerEnd, AnswerFormat } from "../surfaces/types.ts";

/** Tokens per write when many are ready. */
const BATCH_TOKENS = 64;

export interface AnswerStreamOptions {
  readonly response: ServerResponse;
  readonly format: AnswerFormat;
  readonly words: () => string;
  readonly endOf: (reason: AnswerEnd["reason"], outputTokens: Tokens) => AnswerEnd;
  /** Instead of going on past so many tokens, or of ending, the stream calls `run` once they are sent. */
  readonly cut: { readonly afterTokens: Tokens; readonly run: () => void } | undefined;
}

/**
 * Writes an answer as its tokens come. A client that reads slowly makes only a counter grow: text is made when it can be
 * written. Writes wait for the end of the current turn, so that tokens that come together leave together.
 */
export class AnswerStream implements SequenceListener {
  readonly #options: AnswerStreamOptions;
  #ready: Tokens = 0;
  #written: Tokens = 0;
  #reason: AnswerEnd["reason"] | undefined;
  #opened = false;
  #scheduled = false;
  #blocked = false;
  #over = false;

  constructor(options: AnswerStreamOptions) {
    this.#options = options;
    options.response.once("close", () => {
      this.#over = true;
    });
  }

  token(): void {
    this.#ready += 1;
    this.#schedule();
  }

  end(ending: SequenceEnding): void {
    if (ending === "aborted") return;
    this.#reason = ending;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    const { response, cut } = this.#options;
    while (!this.#over && !this.#blocked) {
      const limit = Math.min(this.#ready, cut?.afterTokens ?? Infinity);
      const text = this.#opening() + this.#tokensUpTo(Math.min(limit, this.#written + BATCH_TOKENS));
      const isLast = this.#written === this.#ready && this.#reason !== undefined;
      if (cut !== undefined && (isLast || this.#written === cut.afterTokens)) {
        this.#over = true;
        response.write(text, () => cut.run());
      } else if (isLast) {
        this.#over = true;
        response.end(text + this.#closing());
      } else if (text === "") {
        return;
      } else {
        this.#write(text);
      }
    }
  }

  #write(text: string): void {
    const { response } = this.#options;
    this.#blocked = !response.write(text);
    if (!this.#blocked) return;
    response.once("drain", () => {
      this.#blocked = false;
      this.#pump();
    });
  }

  #opening(): string {
    if (this.#opened) return "";
    this.#opened = true;
    const { response, format } = this.#options;
    response.writeHead(200, { "content-type": format.streamType, "cache-control": "no-cache" });
    return format.opening();
  }

  #tokensUpTo(end: Tokens): string {
    const { format, words } = this.#options;
    let text = "";
    for (; this.#written < end; this.#written++) text += format.token(words(), this.#written);
    return text;
  }

  #closing(): string {
    const { format, endOf } = this.#options;
    return this.#reason === undefined ? "" : format.closing(endOf(this.#reason, this.#written));
  }
}
