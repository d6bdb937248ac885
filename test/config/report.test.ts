import { expect, test } from "vitest";
import type { Problem } from "../../src/config/index.ts";
import { formatProblems } from "../../src/config/index.ts";

const PROBLEM: Problem = {
  severity: "error",
  file: "headgate.yaml",
  line: 12,
  column: 17,
  path: "deployments.qwen3.queue.max_wait",
  rule: "must be a duration like 30s",
  received: '"30 parsecs"',
  hint: "a parsec is a length",
  excerpt: { text: "      max_wait: 30 parsecs", caret: 16 },
};

test("a problem is one line, the line of the file with a caret, and a hint", () => {
  expect(formatProblems([PROBLEM], { color: false })).toMatchInlineSnapshot(`
    "headgate.yaml:12:17  deployments.qwen3.queue.max_wait  must be a duration like 30s, got "30 parsecs"
       12 |   max_wait: 30 parsecs
          |             ^
      hint: a parsec is a length"
  `);
});

test("the caret stays under its column when the indentation is cut", () => {
  const [, line = "", caret = ""] = formatProblems([PROBLEM], { color: false }).split("\n");
  expect(caret.indexOf("^")).toBe(line.indexOf("30 parsecs"));
});

test("colour adds escapes and nothing else", () => {
  const problems: readonly Problem[] = [PROBLEM, { ...PROBLEM, severity: "warning" }];
  const colored = formatProblems(problems, { color: true });
  expect(colored).toContain("\u001B[31m");
  // oxlint-disable-next-line no-control-regex -- escapes are what is taken out here
  expect(colored.replaceAll(/\u001B\[\d+m/g, "")).toBe(formatProblems(problems, { color: false }));
});

test("nothing to say is nothing", () => {
  expect(formatProblems([], { color: false })).toBe("");
});
