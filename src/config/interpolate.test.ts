import * as fc from "fast-check";
import { expect, test } from "vitest";
import { interpolate } from "./interpolate.ts";

const ENV = { HOST: "example.org", EMPTY: "", TRICKY: '$$ ${HOST} "x": {y}' };

test.each([
  ["http://${HOST}:1", "http://example.org:1"],
  ["${HOST}${HOST}", "example.orgexample.org"],
  ["${NONE:-a b}", "a b"],
  ["${EMPTY:-fallback}", "fallback"],
  ["${HOST:-fallback}", "example.org"],
  ["${NONE:-}", ""],
  ["${EMPTY}", ""],
  ["${HOST:?must be set}", "example.org"],
  ["costs $5 and 5$", "costs $5 and 5$"],
  ["$${HOST}", "${HOST}"],
  ["$$${HOST}", "$example.org"],
  ["$HOST", "$HOST"],
])("%s becomes %s", (text, expected) => {
  expect(interpolate(text, ENV)).toMatchObject({ text: expected, faults: [] });
});

test("a value that looks like a reference or like YAML is taken as it is", () => {
  expect(interpolate("${TRICKY}", ENV)).toMatchObject({ text: ENV.TRICKY, faults: [] });
});

test.each([
  ["${NONE}", "needs the environment variable NONE, which is not set"],
  ["${toString}", "needs the environment variable toString, which is not set"],
  ["${NONE:?ask the platform team}", "needs the environment variable NONE: ask the platform team"],
  ["${EMPTY:?}", "needs the environment variable EMPTY: it is not set"],
  ["${NONE:?\u001B[2J}", "needs the environment variable NONE: \\u{1b}[2J"],
  ["${HOST", "must close its ${ with a }"],
  ["${}", "must name a variable like ${NAME}, ${NAME:-default} or ${NAME:?message}"],
  ["${MY-VAR}", "must name a variable like ${NAME}, ${NAME:-default} or ${NAME:?message}"],
  ["${NONE:-${HOST}}", "must not hold one ${…} inside another"],
])("%s is refused: %s", (text, rule) => {
  expect(interpolate(text, ENV).faults.map((fault) => fault.rule)).toEqual([rule]);
});

test("each bad reference of a text is named", () => {
  expect(interpolate("${A} ${B} ${HOST}", ENV).faults).toHaveLength(2);
});

test("doubling every dollar sign gives back any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("$", "{", "}", ":", "-", "A", " ") }), (text) => {
      const filled = interpolate(text.replaceAll("$", "$$$$"), {});
      expect(filled).toEqual({ text, fromEnvironment: false, faults: [] });
    }),
  );
});
