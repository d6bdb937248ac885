import * as fc from "fast-check";
import { expect, test } from "vitest";
import { COMPLETE, messages, parse } from "./kit.ts";

const edit = fc.record({
  at: fc.nat(COMPLETE.length),
  remove: fc.nat(4),
  insert: fc.oneof(
    fc.constantFrom(
      "\t",
      "\n",
      '"',
      "{",
      "}",
      "[",
      "]",
      ":",
      ": ",
      "- ",
      "&a ",
      "*a",
      "|",
      ">",
      "${",
      "%",
      "null",
      "0",
      "<= ",
    ),
    fc.string({ maxLength: 3 }),
  ),
});

test("a damaged file never throws, and has an error exactly where there is no scenario", () => {
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const text = edits.reduce(
        (text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove),
        COMPLETE,
      );
      const result = parse(text);
      const problems = result.kind === "valid" ? result.warnings : result.problems;
      expect(problems.some(({ severity }) => severity === "error")).toBe(result.kind === "invalid");
      for (const { line, column } of problems) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(text.split("\n").length);
        expect(column).toBeGreaterThanOrEqual(1);
      }
    }),
    { numRuns: 600 },
  );
});

/** One value of each kind that the file has. */
const VALUES = [
  "A batch beside two teams.",
  "[nim-gpt-oss-20b, instant]",
  "{ ttft: 500ms, tpot: 50ms, e2e: 10s }",
  "{ fraud: 30%, support: 20% }",
  "{ kind: deployment }",
  "{ prompt: 116, output: 50, body: { temperature: 0 } }",
  "116",
  "{ from: 50, to: 300 }",
  "{ fraction: 30%, after: 100ms..2s }",
  "150/m",
  "{ rate: 10/s, arrivals: gamma, burstiness: 0.5 }",
  "[1, 2, 4]",
  "[100, 500]",
  "100%",
  '{ user: { served: [at least 1, "<= 417"] } }',
  "{ deployments: { gpt-oss-20b: { reservations: { support: 40% } } } }",
  "within 10% of steady",
];

test("any JSON value at any key is accepted or refused by a sentence", () => {
  for (const value of VALUES) expect(COMPLETE).toContain(value);
  fc.assert(
    fc.property(fc.constantFrom(...VALUES), fc.json({ maxDepth: 2 }), (value, json) => {
      expect(messages(COMPLETE.replace(value, () => json))).not.toMatch(/undefined|\[object|Invalid input|NaN/);
    }),
    { numRuns: 500 },
  );
});
