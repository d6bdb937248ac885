import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatProblems } from "../../src/config/index.ts";
import { COMPLETE, parse, report } from "./kit.ts";

/** A key that no rule of ours would know as one by its looks. */
const SECRET = "Zm9vYmFyYmF6cXV4";
const WITH_SECRET = COMPLETE.replace("${NIM_API_KEY:-}", SECRET);

/** Edits that keep the secret and its key whole: what they break is everything around it. */
const edit = fc.record({
  at: fc.nat(WITH_SECRET.length),
  remove: fc.nat(3),
  insert: fc.oneof(
    fc.constantFrom(
      "\t",
      "\n",
      '"',
      "'",
      "{",
      "}",
      "[",
      "]",
      ":",
      ": ",
      "- ",
      "# ",
      "&a ",
      "*a",
      "!t ",
      "|",
      ">",
      "? ",
      "---\n",
      "${",
      "$",
      "%",
    ),
    fc.string({ maxLength: 3 }),
  ),
});

function mutate(text: string, edits: readonly { at: number; remove: number; insert: string }[]): string {
  return edits.reduce((text, { at, remove, insert }) => {
    const start = text.indexOf("api_key");
    const end = text.indexOf(SECRET) + SECRET.length;
    const spared = at + remove > start && at < end;
    return spared ? text : text.slice(0, at) + insert + text.slice(at + remove);
  }, text);
}

test("any text is either a configuration or at least one error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: "binary", maxLength: 300 })), (text) => {
      const result = parse(text);
      const problems = result.kind === "valid" ? result.warnings : result.problems;
      expect(problems.some(({ severity }) => severity === "error")).toBe(result.kind === "invalid");
    }),
    { numRuns: 500 },
  );
});

test("a damaged file never throws, never shows the key, and points at lines that it has", () => {
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
      const text = mutate(WITH_SECRET, edits);
      const result = parse(text);
      const problems = result.kind === "valid" ? result.warnings : result.problems;
      const lines = text.split("\n").length;
      for (const { line, column } of problems) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines);
        expect(column).toBeGreaterThanOrEqual(1);
      }
      expect(formatProblems(problems, { color: true })).not.toContain(SECRET);
      expect(JSON.stringify(problems)).not.toContain(SECRET);
    }),
    { numRuns: 1000 },
  );
});

test("any JSON value at any key is accepted or refused by a sentence", () => {
  const values = [
    "127.0.0.1\n",
    "8080",
    "32MB",
    "5m,",
    '[qwen3-235b-thinking, "*"]',
    "160k",
    "abort",
    "16\n",
    "false",
    "{ requests_per_minute: 200, strict: true }",
    "75%",
    "60s",
    "{ fraud: 30%, science: 20% }",
    "30%",
    "[fraud, science]",
    "o200k",
    "{ kind: group }",
    "deployment,",
    "[science]",
    "2027-01-31\n",
    "X-Consumer",
    '[10.0.0.0/8, "fd00::/8"]',
    '"https://login.example.org/keys"',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...values), fc.json({ maxDepth: 2 }), (value, json) => {
      const end = /[\n,]$/.exec(value)?.[0] ?? "";
      const message = report(parse(COMPLETE.replace(value, () => json + end)));
      expect(message).not.toMatch(/undefined|\[object|Invalid input/);
    }),
    { numRuns: 500 },
  );
});

test("what the environment holds never shows", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(
        "127.0.0.1\n",
        "8080",
        "32MB",
        "5m,",
        "abort",
        "http://127.0.0.1:8082",
        "qwen3-235b-thinking",
        "30%",
        "2M,",
        "o200k",
        "2027-01-31\n",
        "X-Consumer",
        "10.0.0.0/8",
      ),
      (place) => {
        const end = /[\n,]$/.exec(place)?.[0] ?? "";
        const result = parse(COMPLETE.replace(place, `"\${VALUE}"${end}`), { VALUE: `${SECRET} ${SECRET}` });
        expect(result.kind).toBe("invalid");
        expect(JSON.stringify(result)).not.toContain(SECRET);
      },
    ),
  );
});
