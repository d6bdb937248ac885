import { requestId } from "../input/row.ts";
import { isRecord } from "../../core/json.ts";
import type { Answer, RowResult } from "../run/result.ts";

/** One line of OpenAI's batch output, with its line end. Numbers and members of the answer stand as the server wrote them. */
function outputLine(result: Extract<RowResult, { kind: "answered" }>): string {
  const { row, answer } = result;
  return `{"id":"${requestId(row)}","custom_id":${JSON.stringify(row.customId)},"response":${response(answer)},"error":null}\n`;
}

/**
 * One line for a row that failed, with its line end: OpenAI's batch format for errors, with the whole request beside it, so
 * that the file is valid input.
 */
function errorLine(result: Extract<RowResult, { kind: "failed" }>): string {
  const { row, cause, message, answer, attempts } = result;
  const request = JSON.stringify({ method: row.method, url: row.url, body: row.body }).slice(1, -1);
  const error = JSON.stringify({ code: codeOf(answer) ?? cause, message });
  const responded = answer === undefined ? "null" : response(answer);
  return `{"id":"${requestId(row)}","custom_id":${JSON.stringify(row.customId)},${request},"response":${responded},"error":${error},"cause":"${cause}","attempts":${attempts}}\n`;
}

/** What each kind of file writes of a result. */
export function lineOf(result: RowResult): string {
  return result.kind === "answered" ? outputLine(result) : errorLine(result);
}

function response({ statusCode, requestId, text }: Answer): string {
  return `{"status_code":${statusCode},"request_id":${JSON.stringify(requestId)},"body":${text}}`;
}

function codeOf(answer: Answer | undefined): string | undefined {
  const error = isRecord(answer?.body) ? answer.body["error"] : undefined;
  const code = isRecord(error) ? (error["code"] ?? error["type"]) : undefined;
  return typeof code === "string" && code !== "" ? code : undefined;
}
