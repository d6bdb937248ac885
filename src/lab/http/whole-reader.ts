import { isRecord, parseJson } from "../../core/json.ts";
import type { AnswerEnd } from "../load/types.ts";
import type { AnswerReader } from "./answer-reader.ts";
import { ReportedUsage } from "./usage.ts";

/** More than any model writes. */
const MOST_BYTES = 32 * 2 ** 20;

/** Reads an answer that comes as one JSON value. It is complete if it says why it ended: its text is then its one piece. */
export class WholeReader implements AnswerReader {
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  push(bytes: Buffer): number {
    this.#bytes += bytes.length;
    if (this.#bytes > MOST_BYTES) this.#pieces.length = 0;
    else this.#pieces.push(bytes);
    return 0;
  }

  finish(): { readonly content: number; readonly end: AnswerEnd } {
    const value = this.#bytes > MOST_BYTES ? undefined : parseJson(Buffer.concat(this.#pieces).toString());
    if (!isRecord(value) || !saysWhyItEnded(value)) return { content: 0, end: this.cut() };
    const usage = new ReportedUsage();
    usage.take(value);
    return { content: 1, end: usage.complete() };
  }

  cut(): AnswerEnd {
    return { kind: "incomplete" };
  }
}

function saysWhyItEnded(value: Readonly<Record<string, unknown>>): boolean {
  const { choices, stop_reason: stopReason } = value;
  if (typeof stopReason === "string") return true;
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  return isRecord(first) && typeof first["finish_reason"] === "string";
}
