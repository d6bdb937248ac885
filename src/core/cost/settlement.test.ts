import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type Ended, type Settlement, settlement, UNSEEN_TOKENS, type UsageResult } from "./settlement.ts";

const ESTIMATE = { input: 100, output: 256 };
const NOTHING: UsageResult = { kind: "nothing" };
const ENDINGS: readonly Ended[] = ["complete", "cut", "abandoned", "failed", "unsent"];

const reported = (input: number | undefined, output: number): UsageResult => ({ kind: "reported", input, output });
const counted = (outputAtLeast: number, input?: number): UsageResult => ({ kind: "counted", input, outputAtLeast });

describe("settlement", () => {
  test.each<[string, UsageResult, Ended, number, number, Settlement["source"]]>([
    ["what is reported is charged, if less", reported(80, 20), "complete", 80, 20, "reported"],
    ["what is reported is charged, if more", reported(900, 5_000), "complete", 900, 5_000, "reported"],
    ["what is reported is charged to a client that left", reported(80, 20), "cut", 80, 20, "reported"],
    [
      "a report that leaves out the input leaves its estimate",
      reported(undefined, 20),
      "complete",
      100,
      20,
      "reported",
    ],
    ["an unknown truth is not refunded", NOTHING, "complete", 100, 256, "estimated"],
    ["few counted chunks are no truth", counted(40), "complete", 100, 256, "estimated"],
    ["more counted than expected is charged", counted(400), "complete", 100, 400, "counted"],
    ["an early word on the input is taken", counted(40, 77), "complete", 77, 256, "estimated"],
    ["who leaves pays for what was seen, and some", counted(40), "cut", 100, 40 + UNSEEN_TOKENS, "counted"],
    ["who leaves late pays for all that was seen, and some", counted(400), "cut", 100, 400 + UNSEEN_TOKENS, "counted"],
    ["who leaves near its own bound pays no more than that", counted(495), "cut", 100, 500, "counted"],
    ["who leaves pays for the input, in full", counted(0, 2_000), "cut", 2_000, UNSEEN_TOKENS, "counted"],
    ["who leaves an answer that shows nothing pays all of it", NOTHING, "cut", 100, 256, "estimated"],
    ["who leaves before the answer pays all of it", NOTHING, "abandoned", 100, 256, "estimated"],
    ["who leaves an answer that goes on unseen pays all of it", counted(40), "abandoned", 100, 256, "estimated"],
    ["a failure that produced nothing is refunded", NOTHING, "failed", 0, 0, "refunded"],
    ["a failure before its first token is refunded", counted(0, 100), "failed", 0, 0, "refunded"],
    ["a failure after some tokens costs these", counted(40), "failed", 100, 40 + UNSEEN_TOKENS, "counted"],
    ["what was never sent is refunded", NOTHING, "unsent", 0, 0, "refunded"],
  ])("%s", (_, result, ended, ...[input, output, source]) => {
    expect(settlement(ESTIMATE, result, ended, 500)).toEqual({ input, output, source });
  });

  test("charges what was seen at least, and no more than is expected or can have been generated unseen", () => {
    const tokens = fc.nat(10_000);
    fc.assert(
      fc.property(tokens, tokens, tokens, fc.constantFrom(...ENDINGS), (input, output, seen, ended) => {
        const charge = settlement({ input, output }, counted(seen), ended);
        if (charge.source === "refunded") return;
        expect(charge.input).toBe(input);
        expect(charge.output).toBeGreaterThanOrEqual(seen);
        expect(charge.output).toBeLessThanOrEqual(Math.max(seen + UNSEEN_TOKENS, output));
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});
