import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { reportsOnlyIfAsked, withUsage } from "./with-usage.ts";

const edit = (body: string): string | undefined => withUsage(Buffer.from(body))?.toString();

describe("withUsage", () => {
  test.each([
    ["no options", `{"stream":true}`, `{"stream_options":{"include_usage":true},"stream":true}`],
    [
      "null options",
      `{"stream":true,"stream_options":null}`,
      `{"stream":true,"stream_options":{"include_usage":true}}`,
    ],
    [
      "empty options",
      `{"stream":true,"stream_options":{ }}`,
      `{"stream":true,"stream_options":{"include_usage":true }}`,
    ],
    [
      "other options",
      `{"stream":true,"stream_options":{"include_obfuscation":false}}`,
      `{"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}`,
    ],
    [
      "a false flag",
      `{"stream_options": {"include_usage" : false}, "stream" :true}`,
      `{"stream_options": {"include_usage" : true}, "stream" :true}`,
    ],
    [
      "a name in escapes",
      `{"stream":true,"str\\u0065am_options":null}`,
      `{"stream":true,"str\\u0065am_options":{"include_usage":true}}`,
    ],
    [
      "options twice, of which parsers keep the last",
      `{"stream_options":{"include_usage":true},"stream":true,"stream_options":{}}`,
      `{"stream_options":{"include_usage":true},"stream":true,"stream_options":{"include_usage":true}}`,
    ],
    [
      "the words in a text",
      `{"prompt":"\\"stream_options\\":null, {[\\\\","stream":true}`,
      `{"stream_options":{"include_usage":true},"prompt":"\\"stream_options\\":null, {[\\\\","stream":true}`,
    ],
    [
      "white space around",
      ` \n{ "stream" : true }\n`,
      ` \n{"stream_options":{"include_usage":true}, "stream" : true }\n`,
    ],
  ])("adds the flag to a body with %s", (_, body, edited) => {
    expect(edit(body)).toBe(edited);
  });

  test.each([
    ["asks already", `{"stream":true,"stream_options":{"include_usage":true}}`],
    ["wants no stream", `{"stream":false}`],
    ["says nothing of a stream", `{"messages":[{"stream":true}]}`],
    ["takes its stream back", `{"stream":true,"stream":false}`],
    ["has options of another type", `{"stream":true,"stream_options":"yes"}`],
    ["asks for usage on every chunk", `{"stream":true,"stream_options":{"continuous_usage_stats":true}}`],
    ["is a list", `[{"stream":true}]`],
    ["is cut off", `{"stream":true,"prompt":"a`],
    ["is empty", ``],
  ])("leaves a body alone that %s", (_, body) => {
    expect(edit(body)).toBeUndefined();
  });

  const options = fc.oneof(
    fc.constant(null),
    fc.record(
      {
        include_usage: fc.constantFrom(true, false, null, 0),
        include_obfuscation: fc.boolean(),
        "\u{1f600}": fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  );
  const member = fc.oneof(
    fc.tuple(fc.constant("stream"), fc.constantFrom(true, false)),
    fc.tuple(fc.constant("stream_options"), options),
    fc.tuple(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 3 })),
  );
  const space = fc.constantFrom("", " ", "\n\t", "\r\n  ");

  /** Any JSON object as a client might write it: with names twice, in any order, with any white space and escapes. */
  const bodies = fc.tuple(fc.array(member, { maxLength: 8 }), space, fc.boolean()).map(([members, gap, isEscaped]) => {
    const write = (value: unknown): string => {
      const text = JSON.stringify(value, undefined, gap.includes("\n") ? 2 : undefined);
      return isEscaped
        ? text.replace(/[^ -~\s]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)
        : text;
    };
    const texts = members.map(([name, value]) => `${gap}${write(name)}${gap}:${gap}${write(value)}${gap}`);
    return `${gap}{${texts.join(",")}${gap}}${gap}`;
  });

  test("gives the body with the one field added, and every other byte as it came", () => {
    let edits = 0;
    fc.assert(
      fc.property(bodies, (body) => {
        const edited = edit(body);
        const before = JSON.parse(body) as Record<string, unknown>;
        const given = before["stream_options"] as Record<string, unknown> | null | undefined;
        const isDue = before["stream"] === true && given?.["include_usage"] !== true;
        expect(edited !== undefined).toBe(isDue);
        if (edited === undefined) return;
        edits += 1;
        expect(JSON.parse(edited)).toEqual({ ...before, stream_options: { ...given, include_usage: true } });
        expect(changedBytes(body, edited)).toBeLessThanOrEqual(41);
      }),
      { seed: 5, numRuns: 2_000 },
    );
    expect(edits).toBeGreaterThan(300);
  });

  test("gives an answer for any bytes", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .array(fc.constantFrom(...'{ } [ ] " : , \\ t r u'.split(" "), " "), { maxLength: 60 })
        .map((chars) => Buffer.from(chars.join(""))),
    );
    fc.assert(
      fc.property(bytes, (body) => void withUsage(Buffer.from(body))),
      { seed: 6, numRuns: 2_000 },
    );
  });
});

test("only the streams of chat and completions report usage only when asked", () => {
  expect(reportsOnlyIfAsked("/v1/chat/completions")).toBe(true);
  expect(reportsOnlyIfAsked("/v1/completions")).toBe(true);
  for (const path of ["/v1/responses", "/v1/messages", "/api/chat", "/completion", "/v1/embeddings"]) {
    expect(reportsOnlyIfAsked(path)).toBe(false);
  }
});

/** The bytes that remain when the common beginning and end of two texts are taken off. */
function changedBytes(before: string, after: string): number {
  let head = 0;
  while (head < before.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < before.length - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return Buffer.byteLength(after.slice(head, after.length - tail));
}
