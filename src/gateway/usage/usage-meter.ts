import type { UsageResult } from "../../core/cost/settlement.ts";
import type { Bytes, Tokens } from "../../core/units.ts";
import { ContentCounter } from "./content-counter.ts";
import { firstReportInLines, lastReportInLines, reportInBody } from "./find-report.ts";
import type { Report } from "./report.ts";
import { Tail } from "./tail.ts";

/** More than Responses' last event has behind its usage. */
const STREAM_TAIL: Bytes = 16_384;

/** Bodies up to this are parsed whole. */
const BODY_TAIL: Bytes = 65_536;

/** Anthropic's first event, which has the input. */
const STREAM_HEAD: Bytes = 8_192;

const NOTHING: UsageResult = { kind: "nothing" };

/** What the headers of an answer say about its body. */
export interface AnswerKind {
  /** The value of `content-type`, in lower case. */
  readonly contentType: string;
  /** It has a content coding, such as gzip, so that its bytes cannot be read. */
  readonly isEncoded: boolean;
}

/**
 * Finds out what one answer used. It is shown the chunks as they are relayed, keeps the last of them by reference, and
 * looks into them once, at the end; on the way it counts lines. Memory is bounded whatever the answer.
 *
 * An answer that is compressed, or no JSON at all, cannot be metered: its result is `nothing`, and the truth rules leave
 * the estimate as it is. Requests that are metered should ask for `accept-encoding: identity`.
 */
export class UsageMeter {
  readonly #framing: "sse" | "ndjson" | "json" | undefined;
  readonly #counter: ContentCounter | undefined;
  readonly #tail: Tail | undefined;
  readonly #head: Buffer[] = [];
  #headLength: Bytes = 0;

  constructor(answer: AnswerKind) {
    const framing = answer.isEncoded ? undefined : framingOf(answer.contentType);
    this.#framing = framing;
    if (framing === undefined) return;
    this.#tail = new Tail(framing === "json" ? BODY_TAIL : STREAM_TAIL);
    if (framing !== "json") this.#counter = new ContentCounter(framing);
  }

  /** Takes note of a chunk, which nobody may change afterwards. */
  push(chunk: Buffer): void {
    this.#tail?.push(chunk);
    this.#counter?.push(chunk);
    if (this.#framing !== "sse" || this.#headLength >= STREAM_HEAD) return;
    this.#head.push(chunk);
    this.#headLength += chunk.length;
  }

  /** A lower bound of the tokens generated so far; 0 for answers that come whole. */
  get outputSoFar(): Tokens {
    return this.#counter?.count ?? 0;
  }

  /** What is known now. Called once, when no more chunks will come. */
  result(): UsageResult {
    const report = this.#lastReport();
    if (report?.isFinal === true && report.output !== undefined) {
      return { kind: "reported", input: report.input ?? this.#firstReport()?.input, output: report.output };
    }
    if (this.#counter === undefined) return NOTHING;
    const input = report?.input ?? this.#firstReport()?.input;
    return { kind: "counted", input, outputAtLeast: Math.max(report?.output ?? 0, this.#counter.count) };
  }

  #lastReport(): Report | undefined {
    if (this.#tail === undefined) return undefined;
    const { isWhole } = this.#tail;
    const bytes = this.#tail.bytes();
    return this.#framing === "json" ? reportInBody(bytes, isWhole) : lastReportInLines(bytes, isWhole);
  }

  #firstReport(): Report | undefined {
    return this.#framing === "sse" ? firstReportInLines(Buffer.concat(this.#head)) : undefined;
  }
}

function framingOf(contentType: string): "sse" | "ndjson" | "json" | undefined {
  if (contentType.startsWith("text/event-stream")) return "sse";
  if (contentType.startsWith("application/x-ndjson") || contentType.startsWith("application/jsonl")) return "ndjson";
  return contentType.includes("json") ? "json" : undefined;
}
