import { describe, expect, test } from "vitest";
import { backends, deploymentWith, messages, serverWith, two } from "./kit.ts";

// One tiny file for each kind of mistake, and everything that is said about it.

describe("backend URLs", () => {
  test("no scheme", () => {
    expect(messages(backends("127.0.0.1:8081"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  must be a URL like http://127.0.0.1:8081, got "127.0.0.1:8081"
          4 |   - 127.0.0.1:8081
            |     ^
        hint: did you mean http://127.0.0.1:8081?"
    `);
  });

  test("another scheme", () => {
    expect(messages(backends("ftp://127.0.0.1"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  must be a URL like http://127.0.0.1:8081, got "ftp://127.0.0.1"
          4 |   - ftp://127.0.0.1
            |     ^"
    `);
  });

  test("a user and a password", () => {
    expect(messages(backends("http://me:hunter2@127.0.0.1:8081"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  must not hold a user name or a password, got "http://**********@127.0.0.1:8081"
          4 |   - http://**********@127.0.0.1:8081
            |     ^
        hint: a key for the backend is its api_key"
    `);
  });

  test("an empty user", () => {
    expect(messages(backends("http://@127.0.0.1:8081"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  must not hold a user name or a password, got "http://@127.0.0.1:8081"
          4 |   - http://@127.0.0.1:8081
            |     ^
        hint: a key for the backend is its api_key"
    `);
  });

  test("a query", () => {
    expect(messages(backends("http://127.0.0.1:8081/?a=b"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  must not hold a query or a fragment, got "http://127.0.0.1:8081/?a=b"
          4 |   - http://127.0.0.1:8081/?a=b
            |     ^"
    `);
  });

  test("a fragment", () => {
    expect(messages(backends('"http://127.0.0.1:8081/#a"'))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  must not hold a query or a fragment, got "http://127.0.0.1:8081/#a"
          4 |   - "http://127.0.0.1:8081/#a"
            |     ^"
    `);
  });

  test("port zero", () => {
    expect(messages(backends("http://127.0.0.1:0"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  must have a port from 1 to 65535, got "http://127.0.0.1:0"
          4 |   - http://127.0.0.1:0
            |     ^"
    `);
  });

  test("a port that cannot be", () => {
    expect(messages(backends("http://127.0.0.1:99999"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  must be a URL like http://127.0.0.1:8081, got "http://127.0.0.1:99999"
          4 |   - http://127.0.0.1:99999
            |     ^"
    `);
  });

  test("a metadata address", () => {
    expect(messages(backends("http://169.254.169.254/latest"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  must not be a link-local or cloud metadata address (169.254.0.0/16), got "http://169.254.169.254/latest"
          4 |   - http://169.254.169.254/latest
            |     ^
        hint: a client could read this machine's cloud credentials through it"
    `);
  });

  test("a metadata address in disguise", () => {
    expect(
      messages(
        backends("http://2852039166/", '"http://[::ffff:169.254.169.254]/"', "http://metadata.google.internal./"),
      ),
    ).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  must not be a link-local or cloud metadata address (169.254.0.0/16), got "http://2852039166/"
          4 |   - http://2852039166/
            |     ^
        hint: a client could read this machine's cloud credentials through it

      headgate.yaml:5:9  deployments.a.backends[1]  must not be a link-local or cloud metadata address (169.254.0.0/16), got "http://[::ffff:169.254.169.254]/"
          5 |   - "http://[::ffff:169.254.169.254]/"
            |     ^
        hint: a client could read this machine's cloud credentials through it

      headgate.yaml:6:9  deployments.a.backends[2]  must not be a link-local or cloud metadata address (169.254.0.0/16), got "http://metadata.google.internal./"
          6 |   - http://metadata.google.internal./
            |     ^
        hint: a client could read this machine's cloud credentials through it"
    `);
  });

  test("the gate itself", () => {
    expect(
      messages(
        backends("http://127.0.0.1:8080", "http://localhost:8080", "http://0x7f000001:8080/x", "http://0.0.0.0:8080"),
      ),
    ).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  is the address that the gate itself listens on: its requests would come back to it
          4 |   - http://127.0.0.1:8080
            |     ^

      headgate.yaml:5:9  deployments.a.backends[1]  is the address that the gate itself listens on: its requests would come back to it
          5 |   - http://localhost:8080
            |     ^

      headgate.yaml:6:9  deployments.a.backends[2]  is the address that the gate itself listens on: its requests would come back to it
          6 |   - http://0x7f000001:8080/x
            |     ^

      headgate.yaml:7:9  deployments.a.backends[3]  is the address that the gate itself listens on: its requests would come back to it
          7 |   - http://0.0.0.0:8080
            |     ^"
    `);
  });

  test("the same backend twice", () => {
    expect(messages(backends("http://127.0.0.1:8081", "{ url: http://127.0.0.1:8081/ }"))).toMatchInlineSnapshot(`
      "headgate.yaml:5:16  deployments.a.backends[1].url  is the same URL as deployments.a.backends[0]
          5 |   - { url: http://127.0.0.1:8081/ }
            |            ^"
    `);
  });
});

describe("between keys", () => {
  test("a model of two deployments", () => {
    expect(messages(two("models: [x, y]", "models: [y]"))).toMatchInlineSnapshot(`
      "headgate.yaml:7:14  deployments.b.models[0]  is already a model of deployments.a, got "y"
          7 |   models: [y]
            |            ^"
    `);
  });

  test("two catch-alls", () => {
    expect(messages(two("models: ['*']", "models: [x, '*']"))).toMatchInlineSnapshot(`
      "headgate.yaml:7:17  deployments.b.models[1]  catches all other models, and deployments.a does so too: only one deployment can
          7 |   models: [x, '*']
            |               ^
        hint: models that are left out mean ["*"]; name the models of one of the two"
    `);
  });

  test("two catch-alls by leaving models out", () => {
    expect(messages(two("", ""))).toMatchInlineSnapshot(`
      "headgate.yaml:4:3  deployments.b  catches all other models, and deployments.a does so too: only one deployment can
          4 |   b:
            |   ^
        hint: models that are left out mean ["*"]; name the models of one of the two"
    `);
  });

  test("a model that is listed twice", () => {
    expect(messages(deploymentWith("models: [x, x]"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:17  deployments.a.models[1]  is in this list twice, got "x"
          4 |   models: [x, x]
            |               ^"
    `);
  });
});

describe("warnings", () => {
  test("everybody can reach the gate", () => {
    expect(messages(serverWith("host: 0.0.0.0"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:9  server.host  warning: is not loopback, and there are no consumers: anybody who reaches this address can use the model
          2 |   host: 0.0.0.0
            |         ^
        hint: 127.0.0.1 keeps it to this machine, consumers with keys keep it to those you know"
    `);
  });

  test("seats that no backend has", () => {
    expect(
      messages(
        backends(
          "{ url: http://127.0.0.1:8081, max_concurrent: 2 }",
          "{ url: http://127.0.0.1:8082, max_concurrent: 2 }",
        ),
      ),
    ).toMatchInlineSnapshot(`
      "headgate.yaml:2:3  deployments.a.max_concurrent  warning: is 5, but the caps of the backends add up to 4: the other seats are never used
          2 |   a:
            |   ^
        hint: max_concurrent: 4 says what happens"
    `);
  });

  test("a queue that the largest body does not fit into", () => {
    expect(messages(deploymentWith("queue: { max_bytes: 1MB }"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:25  deployments.a.queue.max_bytes  warning: is less than one request body may have (32MB): the largest requests can never wait
          4 |   queue: { max_bytes: 1MB }
            |                       ^
        hint: make it larger, or server.max_body_size smaller"
    `);
  });

  test("a version in the path prefix", () => {
    expect(messages(backends("http://127.0.0.1:8081/v1"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:9  deployments.a.backends[0]  warning: ends in /v1, which the path of a client begins with: requests would go to /v1/v1/…
          4 |   - http://127.0.0.1:8081/v1
            |     ^
        hint: take /v1 off the URL"
    `);
  });
});
