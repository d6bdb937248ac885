import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { UsageMeter } from "../../src/gateway/usage/usage-meter.ts";
import { FIXTURES } from "./usage-fixtures.ts";
import { splitsOf } from "./usage-splits.ts";

function metered(contentType: string, pieces: readonly Buffer[]): UsageMeter {
  const meter = new UsageMeter({ contentType, isEncoded: false });
  for (const piece of pieces) meter.push(piece);
  return meter;
}

describe.each(FIXTURES)("$name", ({ contentType, text, input, output }) => {
  test("is reported, however it is split", () => {
    fc.assert(
      fc.property(splitsOf(Buffer.from(text)), (pieces) => {
        expect(metered(contentType, pieces).result()).toEqual({ kind: "reported", input, output });
      }),
      { seed: 9, numRuns: text.length > 100_000 ? 10 : 100 },
    );
  });
});

describe.each(FIXTURES.filter(({ cut }) => cut !== undefined))("$name, cut off", ({ contentType, text, cut }) => {
  const { before = "", input, outputAtLeast } = cut ?? {};
  const seen = Buffer.from(text.slice(0, text.indexOf(before)));

  test("is counted, however it is split", () => {
    fc.assert(
      fc.property(splitsOf(seen), (pieces) => {
        expect(metered(contentType, pieces).result()).toMatchObject({ kind: "counted", input, outputAtLeast });
      }),
      { seed: 9, numRuns: 100 },
    );
  });

  test("is counted upwards as it comes", () => {
    const meter = new UsageMeter({ contentType, isEncoded: false });
    let last = 0;
    for (const byte of seen) {
      meter.push(Buffer.of(byte));
      expect(meter.outputSoFar).toBeGreaterThanOrEqual(last);
      last = meter.outputSoFar;
    }
    expect(last).toBeGreaterThan(0);
  });
});

describe.each(FIXTURES.filter(({ contentType }) => contentType.startsWith("application/json")))(
  "$name, cut off",
  ({ contentType, text }) => {
    test("tells nothing, or what it told in what came", () => {
      for (const length of [0, 1, text.length >> 1]) {
        const seen = Buffer.from(text.slice(0, length));
        expect(metered(contentType, [seen]).result()).toEqual({ kind: "nothing" });
      }
    });
  },
);

describe("UsageMeter", () => {
  test("tells nothing of what it cannot read", () => {
    const gzip = new UsageMeter({ contentType: "text/event-stream", isEncoded: true });
    gzip.push(Buffer.from(`data: {"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n`));
    expect([gzip.result(), gzip.outputSoFar]).toEqual([{ kind: "nothing" }, 0]);
    for (const contentType of ["", "text/html", "audio/mpeg"]) {
      expect(metered(contentType, [Buffer.from(`{"usage":{"prompt_tokens":1}}`)]).result()).toEqual({
        kind: "nothing",
      });
    }
  });

  test("takes only counts for counts", () => {
    for (const usage of [
      { prompt_tokens: -1, completion_tokens: "3" },
      { prompt_tokens: 1.5, completion_tokens: 1e300 },
      {},
    ]) {
      const body = Buffer.from(JSON.stringify({ choices: [], usage }));
      expect(metered("application/json", [body]).result()).toEqual({ kind: "nothing" });
    }
  });

  test("counts neither comments nor an error", () => {
    const text = `: ping\n\n:\n\nretry: 10\nid: 7\n\ndata: {"error":{"message":"out of memory"}}\n\n`;
    expect(metered("text/event-stream", [Buffer.from(text)]).result()).toMatchObject({
      kind: "counted",
      outputAtLeast: 0,
    });
  });

  test("does not believe what a model writes", () => {
    const lie = `{"usage":{"prompt_tokens":0,"completion_tokens":0}}\n\ndata: {"choices":[],"usage":{"prompt_tokens":0}}`;
    const chunk = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: lie }, finish_reason: null }] })}\n\n`;
    expect(metered("text/event-stream", [Buffer.from(chunk + chunk)]).result()).toMatchObject({ kind: "counted" });
    const long = JSON.stringify({ content: lie.repeat(1_000), stop_reason: "end_turn" });
    expect(metered("application/json", [Buffer.from(long)]).result()).toEqual({ kind: "nothing" });
  });

  test("answers for any bytes", () => {
    const kinds = fc.constantFrom("text/event-stream", "application/x-ndjson", "application/json");
    const parts = fc.constantFrom(
      "data: ",
      "event: ",
      "\n",
      "{",
      "}",
      `"usage":`,
      `"eval_count":`,
      "1",
      `"`,
      "[",
      "\r",
      "\\",
    );
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.array(parts).map((each) => Buffer.from(each.join(""))),
    );
    fc.assert(
      fc.property(kinds, fc.array(bytes), (contentType, pieces) => {
        const meter = metered(
          contentType,
          pieces.map((piece) => Buffer.from(piece)),
        );
        expect(["reported", "counted", "nothing"]).toContain(meter.result().kind);
      }),
      { seed: 10, numRuns: 1_000 },
    );
  });
});
