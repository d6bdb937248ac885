import { describe, expect, test } from "vitest";
import { backends, deploymentWith, messages, serverWith } from "./kit.ts";

// One tiny file for each kind of mistake, and everything that is said about it.

describe("YAML itself", () => {
  test("a tab as indentation", () => {
    expect(messages("deployments:\n\ta: 1\n")).toMatchInlineSnapshot(`
      "headgate.yaml:2:1  is not valid YAML: indented with a tab, where YAML wants blanks
          2 |  a: 1
            | ^"
    `);
  });

  test("a quote that is not closed", () => {
    expect(messages('deployments:\n  a:\n    backends: ["http://127.0.0.1:8081]\n')).toMatchInlineSnapshot(`
      "headgate.yaml:3:16  is not valid YAML: the quote that opens here is never closed
          3 |   backends: ["http://127.0.0.1:8081]
            |              ^"
    `);
  });

  test("a second key on a line", () => {
    expect(messages("server: host: 127.0.0.1\n")).toMatchInlineSnapshot(`
      "headgate.yaml:1:9  is not valid YAML: a second key on the same line
          1 | server: host: 127.0.0.1
            |         ^"
    `);
  });

  test("wrong indentation", () => {
    expect(messages("server:\n  host: 127.0.0.1\n port: 1\n")).toMatchInlineSnapshot(`
      "headgate.yaml:3:1  is not valid YAML: indented differently from what it belongs to
          3 |  port: 1
            | ^"
    `);
  });

  test("a reference without quotes in a flow mapping", () => {
    expect(messages("server: { port: ${PORT} }\n")).toMatchInlineSnapshot(`
      "headgate.yaml:1:18  is not valid YAML: this does not belong here
          1 | server: { port: \${PORT} }
            |                  ^
        hint: put text with a reference in quotes: "\${NAME}""
    `);
  });

  test("a second document", () => {
    expect(messages(deploymentWith() + "---\na: 1\n")).toMatchInlineSnapshot(`
      "headgate.yaml:4:1  is not valid YAML: a second document begins here (---), and a configuration is one document
          4 | ---
            | ^"
    `);
  });

  test("another version of YAML", () => {
    expect(messages("%YAML 1.1\n---\n" + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:1:1  must be YAML 1.2
          1 | %YAML 1.1
            | ^
        hint: take the %YAML line out"
    `);
  });

  test("a tag", () => {
    expect(messages(deploymentWith("max_concurrent: !seats 5"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:21  is not valid YAML: a tag (!name), and a configuration has none
          4 |   max_concurrent: !seats 5
            |                   ^"
    `);
  });

  test("an alias without its anchor", () => {
    expect(messages(deploymentWith("queue: *shared"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:12  deployments.a.queue  is an alias of an anchor that is not there, got "*shared"
          4 |   queue: *shared
            |          ^"
    `);
  });

  test("an anchor that contains itself", () => {
    expect(messages("deployments: &a\n  b: *a\n")).toMatchInlineSnapshot(`
      "headgate.yaml:2:3  deployments  is nested too deeply
          2 |   b: *a
            |   ^"
    `);
  });

  test("a bomb of aliases", () => {
    expect(messages("a: &a [x]\nb: [" + "*a, ".repeat(101) + "]\n")).toMatchInlineSnapshot(`
      "headgate.yaml:2:405  b[100]  is more than the 100 aliases that a file may use
          2 | …*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, ]
            |                                                              ^"
    `);
  });

  test("a key that is there twice", () => {
    expect(messages(deploymentWith("max_concurrent: 5", "max_concurrent: 6"))).toMatchInlineSnapshot(`
      "headgate.yaml:5:5  deployments.a.max_concurrent  is there twice
          5 |   max_concurrent: 6
            |   ^"
    `);
  });

  test("a key that is no text", () => {
    expect(messages(deploymentWith("[a, b]: 1"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:5  is not valid YAML: this has no meaning
          4 |   [a, b]: 1
            |   ^"
    `);
  });

  test("a key with a special meaning to JavaScript", () => {
    expect(messages(deploymentWith("__proto__: { queue: {} }"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:5  deployments.a  has a key that cannot be used
          4 |   __proto__: { queue: {} }
            |   ^"
    `);
  });

  test("a merge key", () => {
    expect(messages("deployments:\n  a: &a { backends: [http://127.0.0.1:8081] }\n  b: { <<: *a, models: [b] }\n"))
      .toMatchInlineSnapshot(`
      "headgate.yaml:3:3  deployments.b.backends  is missing
          3 |   b: { <<: *a, models: [b] }
            |   ^

      headgate.yaml:3:8  deployments.b["<<"]  is an unknown key
          3 |   b: { <<: *a, models: [b] }
            |        ^
        hint: merge keys are no part of YAML 1.2; an alias (*name) can stand for a whole value"
    `);
  });

  test("nesting without end", () => {
    // How deep the parser gets is a matter of the stack.
    expect(messages("[".repeat(5000))).toMatch(/^headgate\.yaml:1:\d+  is not valid YAML: nested too deeply\n/);
  });

  test("several syntax errors, and a mistake before them", () => {
    expect(messages("server:\n  port: 80800\n\thost: x\ndeployments: { a: ]\n")).toMatchInlineSnapshot(`
      "headgate.yaml:2:9  server.port  must be a port from 0 to 65535, got 80800
          2 |   port: 80800
            |         ^

      headgate.yaml:3:1  is not valid YAML: indented with a tab, where YAML wants blanks
          3 |  host: x
            | ^

      headgate.yaml:4:19  is not valid YAML: indented differently from what it belongs to
          4 | deployments: { a: ]
            |                   ^"
    `);
  });
});

describe("variables", () => {
  test("not set", () => {
    expect(messages(backends("${URL}"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  needs the environment variable URL, which is not set
          4 |   - \${URL}
            |     ^
        hint: set URL, or give a default: \${URL:-default}"
    `);
  });

  test("not set, with a message", () => {
    expect(messages(backends("${URL:?ask the platform team}"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  needs the environment variable URL: ask the platform team
          4 |   - \${URL:?ask the platform team}
            |     ^
        hint: set URL"
    `);
  });

  test("an empty name", () => {
    expect(messages(backends("${}"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  must name a variable like \${NAME}, \${NAME:-default} or \${NAME:?message}
          4 |   - \${}
            |     ^
        hint: names have letters, digits and _; a dollar sign that is meant as one is written $$"
    `);
  });

  test("a wrong value from the environment", () => {
    expect(messages(serverWith("port: ${PORT}"), { PORT: "not-to-be-shown" })).toMatchInlineSnapshot(`
      "headgate.yaml:2:9  server.port  must be a port from 0 to 65535, got "\${PORT}"
          2 |   port: \${PORT}
            |         ^
        hint: the value comes from the environment and is not shown"
    `);
  });
});
