import type { Bytes } from "../../core/units.ts";
import { closesOutermost, isEmptyList, isObject, isWord, lastMember, membersOf, skipSpace } from "./json-members.ts";

/** Larger than any usage chunk. An event that is longer passes through from here on. */
const MOST_HELD: Bytes = 65_536;

const NEWLINE = 10;
const RETURN = 13;
const COMMA = 44;

/** Ends an event in a stream whose lines end with `\r` alone. No model server sends one. */
const RETURNS = Buffer.from("\r\r");

const USAGE = Buffer.from('"usage"');
const NULL_USAGE = Buffer.from('"usage":null');
const DATA = Buffer.from("data:");

/**
 * Takes out of a stream what `stream_options.include_usage` put in on the client's behalf:
 *
 * 1. one event whose `choices` is empty and whose `usage` is an object;
 * 2. the member `"usage":null` with its comma, which OpenAI then adds to every other chunk.
 *
 * Everything else passes with its own bytes. An event is held until its empty line has come, before which no client could
 * read it anyway; nothing is held longer. What is no event stream of JSON objects passes untouched.
 *
 * Servers that send usage unasked cannot be told apart: there the client loses a chunk, or a null, that it had not asked
 * for either. `keepNulls` leaves out the second rule, for servers that always send `"usage":null` (SGLang).
 */
export class UsageStripper {
  readonly #keepNulls: boolean;
  /** The beginning of an event whose end has not come. */
  #held: Buffer | undefined;
  /** The usage is out, or the stream is none of ours: the rest passes. */
  #passing = false;
  /** Inside an event that was too long to hold. */
  #inLongEvent = false;

  constructor(options: { readonly keepNulls?: boolean } = {}) {
    this.#keepNulls = options.keepNulls ?? false;
  }

  /** The bytes to write now, often `chunk` itself; undefined if there are none yet. */
  push(chunk: Buffer): Buffer | undefined {
    if (this.#passing || (this.#isBetweenEvents && !concerns(chunk))) return chunk;
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    // What was held has no end of an event, so a new end lies in the new bytes.
    const end = endOfLastEvent(bytes, bytes.length - chunk.length);
    const parts: Buffer[] = [];
    if (end > 0) this.#strip(bytes.subarray(0, end), parts);
    this.#hold(bytes.subarray(end), parts);
    return parts.length > 1 ? Buffer.concat(parts) : parts[0];
  }

  /** What is still held, at the end of the stream or where it broke off. */
  flush(): Buffer | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  get #isBetweenEvents(): boolean {
    return this.#held === undefined && !this.#inLongEvent;
  }

  /** Whole events, of which most have nothing to take out. */
  #strip(events: Buffer, parts: Buffer[]): void {
    let kept = 0;
    let from = this.#inLongEvent ? endOfEvent(events, 0) : 0;
    this.#inLongEvent = false;
    while (!this.#passing) {
      const hit = events.indexOf(USAGE, from);
      if (hit === -1) break;
      const isNull = events.subarray(hit, hit + NULL_USAGE.length).equals(NULL_USAGE);
      if (isNull && this.#keepNulls) {
        from = hit + NULL_USAGE.length;
        continue;
      }
      const start = startOfEvent(events, from, hit);
      from = endOfEvent(events, hit);
      const event = events.subarray(start, from);
      const cut = (isNull ? nullCutOf(event, hit - start) : undefined) ?? cutOf(event);
      if (cut === undefined || (this.#keepNulls && !cut.isAll)) continue;
      if (start + cut.start > kept) parts.push(events.subarray(kept, start + cut.start));
      kept = start + cut.end;
      this.#passing = cut.isAll;
    }
    if (kept < events.length) parts.push(events.subarray(kept));
  }

  /** Keeps the beginning of an event, unless it must go on now. */
  #hold(rest: Buffer, parts: Buffer[]): void {
    this.#held = undefined;
    if (rest.length === 0) return;
    if (rest.includes(RETURNS)) this.#passing = true;
    if (rest.length > MOST_HELD) this.#inLongEvent = true;
    if (!this.#passing && !this.#inLongEvent) {
      this.#held = rest;
      return;
    }
    // The end of a long event is seen by its line ends, so the last of them must not be lost from sight.
    const shown = this.#passing ? rest.length : lengthWithoutLineEnds(rest);
    if (shown > 0) parts.push(rest.subarray(0, shown));
    if (shown < rest.length) this.#held = rest.subarray(shown);
  }
}

interface Cut {
  readonly start: number;
  readonly end: number;
  /** The whole event goes. */
  readonly isAll: boolean;
}

/** Whether there is anything to look at: a part of an event, or the word. */
function concerns(chunk: Buffer): boolean {
  return chunk.length === 0 || !endsEvent(chunk, chunk.length - 1) || chunk.includes(USAGE);
}

/** The same as `cutOf` for the usual form of a null, found without reading the whole event. */
function nullCutOf(event: Buffer, hit: number): Cut | undefined {
  const end = hit + NULL_USAGE.length;
  if (event[hit - 1] !== COMMA || !closesOutermost(event, end)) return undefined;
  return event.subarray(0, DATA.length).equals(DATA) ? { start: hit - 1, end, isAll: false } : undefined;
}

/** What has to go from this event, if anything. */
function cutOf(event: Buffer): Cut | undefined {
  // More than one empty line can stand between two events.
  const start = skipSpace(event, 0);
  const json = start + DATA.length;
  if (!event.subarray(start, json).equals(DATA)) return undefined;
  const members = membersOf(event, json);
  const usage = members && lastMember(members, "usage");
  if (members === undefined || usage === undefined) return undefined;
  if (isObject(event, usage)) {
    return isEmptyList(event, lastMember(members, "choices")) ? { start, end: event.length, isAll: true } : undefined;
  }
  if (!isWord(event, usage, "null")) return undefined;
  const place = members.indexOf(usage);
  const before = members[place - 1];
  if (before !== undefined) return { start: before.valueEnd, end: usage.valueEnd, isAll: false };
  const after = members[place + 1];
  return { start: usage.nameStart, end: after?.nameStart ?? usage.valueEnd, isAll: false };
}

/** Behind the last empty line that ends at or after `from`; 0 if there is none. */
function endOfLastEvent(bytes: Buffer, from: number): number {
  for (let at = bytes.length - 1; at >= from; at--) if (endsEvent(bytes, at)) return at + 1;
  return 0;
}

/** Behind the next empty line, or the end of the bytes. */
function endOfEvent(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(NEWLINE, from); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (endsEvent(bytes, at)) return at + 1;
  }
  return bytes.length;
}

/** Behind the empty line before `hit`, but not before `from`. */
function startOfEvent(bytes: Buffer, from: number, hit: number): number {
  for (let at = hit; at > from;) {
    at = bytes.lastIndexOf(NEWLINE, at - 1);
    if (at < from) break;
    if (endsEvent(bytes, at)) return at + 1;
  }
  return from;
}

/** Whether the byte at `at` ends an empty line. Lines end with `\n` or `\r\n` (HTML standard, section 9.2.5). */
function endsEvent(bytes: Buffer, at: number): boolean {
  if (bytes[at] !== NEWLINE) return false;
  return bytes[at - 1] === NEWLINE || (bytes[at - 1] === RETURN && bytes[at - 2] === NEWLINE);
}

function lengthWithoutLineEnds(bytes: Buffer): number {
  let length = bytes.length;
  while (length > 0 && (bytes[length - 1] === NEWLINE || bytes[length - 1] === RETURN)) length -= 1;
  return length;
}
