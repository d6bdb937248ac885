import { isRecord } from "../../core/json.ts";
import type { BatchRow } from "../input/row.ts";
import { isEndpoint } from "../transport/endpoint.ts";

/** One request to send. */
export interface BatchRequest {
  /** Names it in its result. Unique within a batch. */
  readonly customId: string;
  /** The endpoint's path: `/v1/chat/completions`. */
  readonly url: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Requests of a program. Whoever writes them may do so without types. */
export type RequestSource = Iterable<BatchRequest> | AsyncIterable<BatchRequest>;

/** Whether a value can be iterated, at once or in time. */
export function isSource(value: unknown): value is RequestSource {
  return typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/**
 * The rows of a program's requests, one by one, each when it is asked for. Rejects with a RangeError that names the first
 * that is none, or that has the customId of one before.
 */
export async function* requestRows(source: RequestSource): AsyncGenerator<readonly BatchRow[]> {
  const seen = new Set<string>();
  let index = 0;
  for await (const request of source) {
    yield [readRequest(request, `rows[${index}]`, seen)];
    index += 1;
  }
}

function readRequest(request: unknown, name: string, seen: Set<string>): BatchRow {
  if (!isRecord(request)) throw new RangeError(`${name} must be an object with customId, url and body`);
  const { customId, url, body } = request;
  if (typeof customId !== "string" || customId === "")
    throw new RangeError(`${name}.customId must be a string, not empty`);
  if (seen.has(customId))
    throw new RangeError(`${name}.customId must be unique, ${JSON.stringify(customId)} was there before`);
  if (typeof url !== "string" || !isEndpoint(url))
    throw new RangeError(`${name}.url must be the path of an endpoint, like /v1/chat/completions`);
  if (!isRecord(body)) throw new RangeError(`${name}.body must be an object`);
  if (body["stream"] === true)
    throw new RangeError(`${name}.body.stream must be left out: the answers of a batch are whole`);
  seen.add(customId);
  return { customId, method: "POST", url, body };
}
