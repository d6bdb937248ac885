import { isRecord, parseJson } from "../../core/json.ts";
import type { Answer, FailureCause } from "../run/result.ts";
import type { Reception } from "./transport.ts";

/** What an attempt means for its row. */
export type Judgement =
  | { readonly kind: "success"; readonly answer: Answer }
  /** Another attempt may go well. */
  | Failed<"retry">
  /** Another would go the same. */
  | Failed<"final">
  | { readonly kind: "aborted" };

interface Failed<Kind extends string> {
  readonly kind: Kind;
  readonly cause: FailureCause;
  readonly message: string;
  readonly answer: Answer | undefined;
  /** False: the request never came to the server. */
  readonly reached: boolean;
}

/** A longer body that is no JSON is shortened to this where it is kept. */
const LONGEST_TEXT = 2_000;

/** Judges what came of an attempt. Limits are not its concern: a 429 is one more answer that may be repeated. */
export function judge(reception: Reception): Judgement {
  if (reception.kind === "aborted") return reception;
  if (reception.kind === "failed") {
    const { cause, message, reached } = reception;
    return { kind: "retry", cause, message, answer: undefined, reached };
  }
  const answer = toAnswer(reception);
  const { status, headers } = reception;
  const failed = { answer, reached: true };
  if (status >= 200 && status < 300) {
    if (!isRecord(answer.body) || answer.isWrapped)
      return { kind: "retry", cause: "invalid_answer", message: `${status}, but no JSON object`, ...failed };
    if (isError(answer.body["error"]))
      return { kind: "final", cause: "invalid_answer", message: `${status}, with an error: ${say(answer)}`, ...failed };
    return { kind: "success", answer };
  }
  const message = `${status}: ${say(answer)}`;
  const isPassing = status === 408 || status === 409 || status === 429 || status >= 500;
  if (!isPassing) return { kind: "final", cause: "refused", message, ...failed };
  const isFinal = status !== 429 && headers["x-should-retry"] === "false";
  return { kind: isFinal ? "final" : "retry", cause: "server_error", message, ...failed };
}

/** An object, or words; some APIs send null, false or nothing where all is well. */
function isError(error: unknown): boolean {
  return isRecord(error) || (typeof error === "string" && error !== "");
}

interface ReadAnswer extends Answer {
  /** The body was no JSON, and stands as a string. */
  readonly isWrapped: boolean;
}

function toAnswer({ status, headers, text }: Extract<Reception, { kind: "answered" }>): ReadAnswer {
  const requestId = headers["x-request-id"] ?? headers["request-id"] ?? "";
  const body = parseJson(text);
  if (body === undefined) {
    const kept = text.slice(0, LONGEST_TEXT);
    return { statusCode: status, requestId, text: JSON.stringify(kept), body: kept, isWrapped: true };
  }
  // Inside a JSON string a line end has a backslash: these are all between its parts.
  return { statusCode: status, requestId, text: text.trim().replace(/[\r\n]+/g, " "), body, isWrapped: false };
}

const LONGEST_MESSAGE = 300;

/** What an error says for people: OpenAI's and Anthropic's objects, slowapi's and Ollama's strings, or the text. */
function say({ body }: Answer): string {
  const error = isRecord(body) ? body["error"] : body;
  const message = isRecord(error) ? error["message"] : error;
  const text = typeof message === "string" ? message : (JSON.stringify(body) ?? "");
  return text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE)}…`;
}
