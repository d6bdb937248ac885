import { describe, expect, test } from "vitest";
import { deploymentWith, messages, policyWith, serverWith } from "./kit.ts";

// One tiny file for each kind of mistake, and everything that is said about it.

describe("shape", () => {
  test("an empty file", () => {
    expect(messages("")).toMatchInlineSnapshot(`
      "headgate.yaml:1:1  is empty
        hint: it needs at least one deployment with a backend"
    `);
  });

  test("a file of comments", () => {
    expect(messages("# nothing\n")).toMatchInlineSnapshot(`
      "headgate.yaml:1:1  is empty
          1 | # nothing
            | ^
        hint: it needs at least one deployment with a backend"
    `);
  });

  test("a list", () => {
    expect(messages("- a\n")).toMatchInlineSnapshot(`
      "headgate.yaml:1:1  must be a mapping of keys to values, got a list
          1 | - a
            | ^"
    `);
  });

  test("a text", () => {
    expect(messages("headgate\n")).toMatchInlineSnapshot(`
      "headgate.yaml:1:1  must be a mapping of keys to values, got "headgate"
          1 | headgate
            | ^"
    `);
  });

  test("no deployments", () => {
    expect(messages("server: { port: 1 }\n")).toMatchInlineSnapshot(`
      "headgate.yaml:1:1  deployments  is missing
          1 | server: { port: 1 }
            | ^"
    `);
  });

  test("empty deployments", () => {
    expect(messages("deployments:\n")).toMatchInlineSnapshot(`
      "headgate.yaml:1:1  deployments  is empty
          1 | deployments:
            | ^"
    `);
  });

  test("zero deployments", () => {
    expect(messages("deployments: {}\n")).toMatchInlineSnapshot(`
      "headgate.yaml:1:14  deployments  must hold at least one deployment
          1 | deployments: {}
            |              ^"
    `);
  });

  test("an empty deployment", () => {
    expect(messages("deployments:\n  a:\n")).toMatchInlineSnapshot(`
      "headgate.yaml:2:3  deployments.a  is empty
          2 |   a:
            |   ^"
    `);
  });

  test("a deployment without backends", () => {
    expect(messages("deployments:\n  a:\n    max_concurrent: 5\n")).toMatchInlineSnapshot(`
      "headgate.yaml:2:3  deployments.a.backends  is missing
          2 |   a:
            |   ^"
    `);
  });

  test("zero backends", () => {
    expect(messages("deployments:\n  a:\n    backends: []\n")).toMatchInlineSnapshot(`
      "headgate.yaml:3:15  deployments.a.backends  must have at least one item
          3 |   backends: []
            |             ^"
    `);
  });

  test("a backend that is not in a list", () => {
    expect(messages("deployments:\n  a:\n    backends: http://127.0.0.1:8081\n")).toMatchInlineSnapshot(`
      "headgate.yaml:3:15  deployments.a.backends  must be a list, got "http://127.0.0.1:8081"
          3 |   backends: http://127.0.0.1:8081
            |             ^
        hint: put it in brackets, or on a line of its own after a dash"
    `);
  });

  test("a backend without url", () => {
    expect(messages("deployments:\n  a:\n    backends:\n      - max_concurrent: 5\n")).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0].url  is missing
          4 |   - max_concurrent: 5
            |     ^"
    `);
  });

  test("an empty backend", () => {
    expect(messages("deployments:\n  a:\n    backends:\n      -\n")).toMatchInlineSnapshot(`
      "headgate.yaml:4:8  deployments.a.backends[0]  is empty
          4 |   -
            |    ^"
    `);
  });

  test("an empty value", () => {
    expect(messages(deploymentWith("max_concurrent:"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:5  deployments.a.max_concurrent  is empty
          4 |   max_concurrent:
            |   ^"
    `);
  });

  test("an empty queue", () => {
    expect(messages(deploymentWith("queue:"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:5  deployments.a.queue  is empty
          4 |   queue:
            |   ^
        hint: queue: {} takes the defaults; without the key, nothing waits"
    `);
  });

  test("a queue that is a number", () => {
    expect(messages(deploymentWith("queue: 200"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:12  deployments.a.queue  must be a mapping of keys to values, got 200
          4 |   queue: 200
            |          ^"
    `);
  });

  test("a deployment name with a blank", () => {
    expect(messages("deployments:\n  my model: { backends: [http://127.0.0.1:8081] }\n")).toMatchInlineSnapshot(`
      "headgate.yaml:2:3  deployments["my model"]  must be a name of letters, digits and . _ : / @ -, 64 at the most, that begins with a letter or digit, got "my model"
          2 |   my model: { backends: [http://127.0.0.1:8081] }
            |   ^"
    `);
  });
});

describe("keys", () => {
  test("a mistyped key", () => {
    expect(messages(deploymentWith("max_concurent: 5"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:5  deployments.a.max_concurent  is an unknown key
          4 |   max_concurent: 5
            |   ^
        hint: did you mean max_concurrent?"
    `);
  });

  test("a key in camel case", () => {
    expect(messages(deploymentWith("queue: { maxWait: 5m }"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:14  deployments.a.queue.maxWait  is an unknown key
          4 |   queue: { maxWait: 5m }
            |            ^
        hint: did you mean max_wait?"
    `);
  });

  test("a key of another section", () => {
    expect(messages(serverWith("max_wait: 5m"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:3  server.max_wait  is an unknown key
          2 |   max_wait: 5m
            |   ^
        hint: max_wait belongs under deployments.<name>.queue"
    `);
  });

  test("a key that nothing resembles", () => {
    expect(messages(serverWith("workers: 4"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:3  server.workers  is an unknown key
          2 |   workers: 4
            |   ^
        hint: known here: host, port, max_body_size, drain_timeout"
    `);
  });

  test("an unknown key in a backend", () => {
    expect(messages("deployments:\n  a:\n    backends: [{ url: http://127.0.0.1:8081, weight: 2 }]\n"))
      .toMatchInlineSnapshot(`
        "headgate.yaml:3:46  deployments.a.backends[0].weight  is an unknown key
            3 |   backends: [{ url: http://127.0.0.1:8081, weight: 2 }]
              |                                            ^
          hint: known here: url, api_key, max_concurrent, on_client_disconnect, ask_for_usage"
      `);
  });

  test("a key of the next release", () => {
    expect(messages("state: ./state\n" + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:1:1  state  is not in this version of Headgate
          1 | state: ./state
            | ^
        hint: it comes with the next release; until then, take it out"
    `);
  });

  test("what others call a limit", () => {
    expect(messages(deploymentWith("limits: { rpm: 20, token_per_hour: 2M, requestsPerMin: 3 }")))
      .toMatchInlineSnapshot(`
      "headgate.yaml:4:15  deployments.a.limits.rpm  is an unknown key
          4 |   limits: { rpm: 20, token_per_hour: 2M, requestsPerMin: 3 }
            |             ^
        hint: did you mean requests_per_minute?

      headgate.yaml:4:24  deployments.a.limits.token_per_hour  is an unknown key
          4 |   limits: { rpm: 20, token_per_hour: 2M, requestsPerMin: 3 }
            |                      ^
        hint: did you mean tokens_per_hour?

      headgate.yaml:4:44  deployments.a.limits.requestsPerMin  is an unknown key
          4 |   limits: { rpm: 20, token_per_hour: 2M, requestsPerMin: 3 }
            |                                          ^
        hint: did you mean requests_per_minute?"
    `);
  });

  test("a limit in the wrong place", () => {
    expect(messages(deploymentWith("requests_per_hour: 20"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:5  deployments.a.requests_per_hour  is an unknown key
          4 |   requests_per_hour: 20
            |   ^
        hint: requests_per_hour belongs under deployments.<name>.limits or deployments.<name>.exceptions.<name>"
    `);
  });

  test("an unknown key in an exception", () => {
    expect(messages(policyWith("exceptions: { bob: { max_concurrent: 1 } }"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:26  deployments.a.exceptions.bob.max_concurrent  is an unknown key
          4 |   exceptions: { bob: { max_concurrent: 1 } }
            |                        ^
        hint: max_concurrent belongs under deployments.<name> or deployments.<name>.backends[]"
    `);
  });

  test("an empty admin", () => {
    expect(messages("admin:\n" + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:1:1  admin  is empty
          1 | admin:
            | ^
        hint: admin: {} takes the defaults; without the key, there is none"
    `);
  });
});
