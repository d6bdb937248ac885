import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { UsageStripper } from "./usage-stripper.ts";

const HEAD = `"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m"`;
const DONE = "data: [DONE]\n\n";
const USAGE = `{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}`;

const chunk = (content: string, more = ""): string =>
  `data: {${HEAD},"choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}},"finish_reason":null}]${more}}\n\n`;
const extra = (more = ""): string => `data: {${HEAD},"choices":[],"usage":${USAGE}${more}}\n\n`;

/** What the client sees if the backend's bytes come in these pieces. */
function relayed(pieces: readonly Buffer[], options: { keepNulls?: boolean } = {}): string {
  const stripper = new UsageStripper(options);
  const seen = pieces.map((piece) => stripper.push(piece));
  return Buffer.concat([...seen, stripper.flush()].filter((piece) => piece !== undefined)).toString("latin1");
}

const whole = (text: string, options: { keepNulls?: boolean } = {}): string =>
  Buffer.from(relayed([Buffer.from(text)], options), "latin1").toString();

/** Splits of a text at any bytes. */
const splits = (text: string): fc.Arbitrary<Buffer[]> => {
  const bytes = Buffer.from(text);
  return fc.array(fc.nat(bytes.length), { maxLength: 40 }).map((cuts) => {
    const at = [0, ...cuts, bytes.length].sort((a, b) => a - b);
    return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
  });
};

describe("UsageStripper", () => {
  test("takes out the chunk with the usage, as vLLM and llama-server send it", () => {
    const before = chunk("Hi") + chunk(" there");
    expect(whole(before + extra() + DONE)).toBe(before + DONE);
    expect(whole(before + extra(`,"timings":{"prompt_n":9,"predicted_n":3}`) + DONE)).toBe(before + DONE);
  });

  test("takes out what OpenAI adds to every chunk, too", () => {
    const asked = chunk("Hi", `,"usage":null,"obfuscation":"x"`) + chunk("!", `,"usage":null`) + extra() + DONE;
    expect(whole(asked)).toBe(chunk("Hi", `,"obfuscation":"x"`) + chunk("!") + DONE);
    expect(whole(asked, { keepNulls: true })).toBe(
      chunk("Hi", `,"usage":null,"obfuscation":"x"`) + chunk("!", `,"usage":null`) + DONE,
    );
    expect(whole(`data: { "usage": null, "id": 1 }\n\ndata: {"usage":null}\n\n`)).toBe(
      `data: { "id": 1 }\n\ndata: {}\n\n`,
    );
  });

  test.each([
    ["usage beside a choice", chunk("Hi", `,"usage":${USAGE}`)],
    [
      "an empty choice without usage, as Azure sends first",
      `data: {${HEAD},"choices":[],"prompt_filter_results":[]}\n\n`,
    ],
    ["usage that is further in", chunk("Hi", `,"x":{"usage":null,"choices":[],"y":{"usage":${USAGE}}}`)],
    ["usage in a text", chunk(`{"choices":[],"usage":${USAGE}} "usage":null`)],
    ["an error", `data: {"error":{"message":"out of memory","usage":${USAGE}}}\n\n`],
    ["named events", `event: ping\ndata: {"type":"ping","choices":[],"usage":${USAGE}}\n\n`],
    ["comments", `: ping\n\n:\n\n`],
    ["what is no JSON", `data: {"choices":[],"usage":{\n\ndata: "usage"\n\n"usage"\n\n`],
    ["JSON over two lines", `data: {"choices":[],\ndata: "usage":${USAGE}}\n\n`],
    ["an event that has no end", chunk("Hi") + extra().trimEnd()],
    ["other line ends", `data: {"choices":[],"usage":${USAGE}}\r\rdata: [DONE]\r\r`],
  ])("passes %s", (_, text) => {
    expect(whole(text)).toBe(text);
  });

  test("reads lines that end with a carriage return and a newline", () => {
    const crlf = (text: string): string => text.replaceAll("\n", "\r\n");
    expect(whole(crlf(chunk("Hi") + extra() + DONE))).toBe(crlf(chunk("Hi") + DONE));
  });

  test("takes one chunk at most", () => {
    expect(whole(extra() + extra() + DONE)).toBe(extra() + DONE);
  });

  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("\n\n", `"usage":null`, `","usage":null,"`, `\\`, "a".repeat(300), "[DONE]"),
  );
  const kept = fc.oneof(
    text.map((content) => chunk(content)),
    fc.constantFrom(
      ": ping\n\n",
      "event: x\ndata: y\n\n",
      "\n",
      "\r\n\r\n",
      "data:\n\n",
      `data: {"choices":[],"usage":null`,
    ),
  );
  const nulled = text.map((content): [string, string] => [chunk(content, `,"usage":null`), chunk(content)]);
  const asSent = kept.map((event): [string, string] => [event, event]);

  /** What a backend sends, and what the client must see. */
  const streams = fc
    .tuple(
      fc
        .array(fc.oneof(asSent, nulled), { maxLength: 12 })
        .filter((events) => events.every(([sent]) => sent.endsWith("\n"))),
      fc.boolean(),
      fc.boolean(),
    )
    .map(([events, hasUsage, isCrlf]) => {
      const sent = events.map(([event]) => event).join("") + (hasUsage ? `\n\n${extra()}` : "") + DONE;
      const seen = events.map(([, event]) => event).join("") + (hasUsage ? "\n\n" : "") + DONE;
      return isCrlf ? [sent.replaceAll(/\r?\n/g, "\r\n"), seen.replaceAll(/\r?\n/g, "\r\n")] : [sent, seen];
    });

  test("gives the client the same bytes however the stream is split", () => {
    fc.assert(
      fc.property(
        streams.chain(([sent = "", seen = ""]) => fc.tuple(splits(sent), fc.constant(seen))),
        ([pieces, seen]) => {
          expect(Buffer.from(relayed(pieces), "latin1").toString()).toBe(seen);
        },
      ),
      { seed: 7, numRuns: 2_000 },
    );
  });

  test("passes any bytes without the word, however they are split", () => {
    const noise = fc.array(
      fc.constantFrom("data: ", "\n", "\r", "{", "}", `"usage`, `"choices":[]`, ",", ":", "null", "é"),
    );
    fc.assert(
      fc.property(
        noise.chain((parts) => fc.tuple(fc.constant(parts.join("")), splits(parts.join("")))),
        ([sent, pieces]) => {
          expect(Buffer.from(relayed(pieces), "latin1").toString()).toBe(sent);
        },
      ),
      { seed: 14, numRuns: 1_000 },
    );
  });

  test("delays no whole event", () => {
    fc.assert(
      fc.property(
        fc
          .array(
            text.map((content) => chunk(content)),
            { minLength: 1, maxLength: 6 },
          )
          .chain((events) => fc.tuple(fc.constant(events), splits(events.join("")))),
        ([events, pieces]) => {
          const stripper = new UsageStripper();
          let came = 0;
          let shown = 0;
          for (const piece of pieces) {
            came += piece.length;
            shown += stripper.push(piece)?.length ?? 0;
            let due = 0;
            for (const event of events)
              if (due + Buffer.byteLength(event) <= came) due += Buffer.byteLength(event);
              else break;
            expect(shown).toBe(due);
          }
        },
      ),
      { seed: 8, numRuns: 500 },
    );
  });

  test("gives on the very chunk where there is nothing to take out", () => {
    const bytes = Buffer.from(chunk("Hi"));
    expect(new UsageStripper().push(bytes)?.buffer).toBe(bytes.buffer);
  });

  test("holds no more than it says of an event without end, and finds the usage behind it", () => {
    const long = chunk("a".repeat(200_000));
    for (const size of [1_000, 65_536, 65_537, 200_100]) {
      const sent = Buffer.from(long + extra() + DONE);
      const pieces = Array.from({ length: Math.ceil(sent.length / size) }, (_, index) =>
        sent.subarray(index * size, (index + 1) * size),
      );
      expect(relayed(pieces)).toBe(long + DONE);
    }
    const at = Buffer.byteLength(long);
    const sent = Buffer.from(long + extra() + DONE);
    for (let cut = at - 3; cut < at + 4; cut++) {
      expect(relayed([sent.subarray(0, 100_000), sent.subarray(100_000, cut), sent.subarray(cut)])).toBe(long + DONE);
    }
  });
});
