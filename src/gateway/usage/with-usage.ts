import { isObject, isWord, lastMember, type Member, membersOf, skipSpace } from "./json-members.ts";

/** Paths whose streams report usage only if `stream_options.include_usage` asks for it. */
const ASKED_FOR: ReadonlySet<string> = new Set([
  "/v1/chat/completions",
  "/v1/completions",
  "/chat/completions",
  "/completions",
]);

/** Whether streams on this path report their usage only when asked. Takes the path in its canonical spelling. */
export function reportsOnlyIfAsked(path: string): boolean {
  return ASKED_FOR.has(path);
}

const OPTIONS_AND_COMMA = '"stream_options":{"include_usage":true},';
const OPTIONS = '{"include_usage":true}';
const FLAG = '"include_usage":true';

/**
 * The body with `stream_options.include_usage: true` in it, all its other bytes as they came. Undefined where there is
 * nothing to add: the body asks already, asks for no stream, or is nothing that an OpenAI server would take.
 *
 * A body that asks for `continuous_usage_stats` (vLLM) without `include_usage` is left alone too: the flag would put
 * usage into chunks that the client keeps.
 */
export function withUsage(body: Buffer): Buffer | undefined {
  const members = membersOf(body, 0);
  if (members === undefined || !isWord(body, lastMember(members, "stream"), "true")) return undefined;
  const options = lastMember(members, "stream_options");
  if (options === undefined) return splice(body, skipSpace(body, 0) + 1, 0, OPTIONS_AND_COMMA);
  if (isWord(body, options, "null")) return replaceValue(body, options, OPTIONS);
  const inner = isObject(body, options) ? membersOf(body, options.valueStart) : undefined;
  if (inner === undefined || asksOnEveryChunk(body, inner)) return undefined;
  const flag = lastMember(inner, "include_usage");
  if (flag === undefined) return splice(body, options.valueStart + 1, 0, inner.length > 0 ? `${FLAG},` : FLAG);
  return isWord(body, flag, "true") ? undefined : replaceValue(body, flag, "true");
}

function asksOnEveryChunk(body: Buffer, options: readonly Member[]): boolean {
  const flag = lastMember(options, "continuous_usage_stats");
  return flag !== undefined && !isWord(body, flag, "false") && !isWord(body, flag, "null");
}

function replaceValue(body: Buffer, { valueStart, valueEnd }: Member, value: string): Buffer {
  return splice(body, valueStart, valueEnd - valueStart, value);
}

function splice(body: Buffer, at: number, removed: number, added: string): Buffer {
  return Buffer.concat([body.subarray(0, at), Buffer.from(added), body.subarray(at + removed)]);
}
