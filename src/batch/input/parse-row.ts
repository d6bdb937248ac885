import { isRecord, type Json, parseJson } from "../../core/json.ts";
import { isEndpoint } from "../transport/endpoint.ts";
import type { Line } from "./lines.ts";
import type { PlacedRow } from "./row.ts";

/** How an API is spoken to; rows that name their endpoint need not be told. */
export type Api = "openai" | "anthropic";

/** What rows leave out. */
export interface RowDefaults {
  /** The model of rows that name none. */
  readonly model: string | undefined;
  /** The API of rows that name no endpoint. */
  readonly api: Api;
}

/** A line that is no row. */
export interface BadLine {
  readonly line: number;
  /** What it breaks, as a sentence without an end: `custom_id must be a string`. */
  readonly rule: string;
  /** What stands there, shortened; empty where nothing does. */
  readonly value: string;
}

/** What a line holds. Blank lines hold nothing. */
export type ParsedLine =
  /** `needsModel`: it names none, and has that of the defaults. */
  | { readonly kind: "row"; readonly row: PlacedRow; readonly needsModel: boolean }
  | { readonly kind: "blank" }
  | { readonly kind: "bad"; readonly problem: BadLine };

const LONGEST_ID = 512;
const LONGEST_SHOWN = 80;
/** What is deeper cannot be written again: there is no room on the stack. */
const MOST_LEVELS = 500;

const CHAT: Readonly<Record<Api, string>> = { openai: "/v1/chat/completions", anthropic: "/v1/messages" };

/** Reads one line: a row of OpenAI's batch format, or a plain one with `messages` or `prompt`. Never throws. */
export function parseRow({ number, text, flaw }: Line, defaults: RowDefaults): ParsedLine {
  const bad = (rule: string, value: unknown): ParsedLine => ({
    kind: "bad",
    problem: { line: number, rule, value: show(value) },
  });
  if (flaw === "not_utf8") return bad("a line must be UTF-8", undefined);
  if (text === undefined) return bad("a line must not be longer than 64 MB", undefined);
  if (text.trim() === "") return { kind: "blank" };
  const json = parseJson(text);
  if (isDeeperThan(json, MOST_LEVELS))
    return bad(`a line must not be nested deeper than ${MOST_LEVELS} levels`, undefined);
  if (!isRecord(json)) return bad("a line must be a JSON object", json ?? text);
  const customId = json["custom_id"] ?? (isPlain(json) ? `row-${number}` : undefined);
  if (typeof customId !== "string" || customId === "" || customId.length > LONGEST_ID)
    return bad(`custom_id must be a string of 1 to ${LONGEST_ID} characters`, customId);
  const request = isPlain(json) ? plainRequest(json, defaults) : batchRequest(json);
  if ("rule" in request) return bad(request.rule, request.value);
  const { url, body } = request;
  const model = body["model"] ?? defaults.model;
  if (typeof model !== "string" || model === "")
    return bad("the row names no model; give one with --model", body["model"]);
  if (body["stream"] === true) return bad("body.stream must be left out: the answers of a batch are whole", true);
  const needsModel = body["model"] === undefined;
  const filled = needsModel ? { model, ...body } : body;
  return { kind: "row", row: { customId, method: "POST", url, body: filled, line: number }, needsModel };
}

interface Broken {
  readonly rule: string;
  readonly value: unknown;
}

type Request = { readonly url: string; readonly body: Json };

function isPlain(json: Json): boolean {
  return json["url"] === undefined && json["body"] === undefined && json["method"] === undefined;
}

function batchRequest({ method, url, body }: Json): Request | Broken {
  if (method !== "POST") return { rule: 'method must be "POST"', value: method };
  if (typeof url !== "string" || !isEndpoint(url))
    return { rule: "url must be the path of an endpoint, like /v1/chat/completions", value: url };
  if (!isRecord(body)) return { rule: "body must be an object", value: body };
  return { url, body };
}

/** Whatever else stands in a plain line (`temperature`, `max_tokens`, …) belongs to the request. */
function plainRequest(json: Json, { api }: RowDefaults): Request | Broken {
  const { custom_id: _, prompt, messages, ...rest } = json;
  if (messages !== undefined && prompt !== undefined)
    return { rule: "a line must have messages or a prompt, not both", value: prompt };
  if (messages === undefined && prompt === undefined)
    return { rule: "a line must have custom_id, method, url and body; or messages; or a prompt", value: json };
  if (messages !== undefined && !(Array.isArray(messages) && messages.length > 0))
    return { rule: "messages must be a list with at least one message", value: messages };
  if (messages === undefined && (typeof prompt !== "string" || prompt === ""))
    return { rule: "prompt must be a text", value: prompt };
  if (api === "anthropic" && rest["max_tokens"] === undefined)
    return { rule: "max_tokens must be there: Anthropic's API has no default for it", value: undefined };
  return { url: CHAT[api], body: { ...rest, messages: messages ?? [{ role: "user", content: prompt }] } };
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}

/** Empty where there is nothing to show. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}
