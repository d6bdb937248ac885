import { describe, expect, test } from "vitest";
import { deploymentWith, messages, serverWith } from "./kit.ts";

// One tiny file for each kind of mistake, and everything that is said about it.

describe("values", () => {
  test("a host with a port", () => {
    expect(messages(serverWith("host: localhost:8080"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:9  server.host  must be a host name or an IP address, without scheme and port, got "localhost:8080"
          2 |   host: localhost:8080
            |         ^
        hint: the port is a setting of its own"
    `);
  });

  test("a host in brackets", () => {
    expect(messages(serverWith('host: "[::1]"'))).toMatchInlineSnapshot(`
      "headgate.yaml:2:9  server.host  must be a host name or an IP address, without scheme and port, got "[::1]"
          2 |   host: "[::1]"
            |         ^
        hint: write the IPv6 address without brackets"
    `);
  });

  test("a host that is a star", () => {
    expect(messages(serverWith('host: "*"'))).toMatchInlineSnapshot(`
      "headgate.yaml:2:9  server.host  must be a host name or an IP address, without scheme and port, got "*"
          2 |   host: "*"
            |         ^
        hint: 0.0.0.0 listens on every address"
    `);
  });

  test("an address that cannot be", () => {
    expect(messages(serverWith("host: 127.0.0.256"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:9  server.host  must be a host name or an IP address, without scheme and port, got "127.0.0.256"
          2 |   host: 127.0.0.256
            |         ^"
    `);
  });

  test("a port that cannot be", () => {
    expect(messages(serverWith("port: 65536"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:9  server.port  must be a port from 0 to 65535, got 65536
          2 |   port: 65536
            |         ^"
    `);
  });

  test("a port with a unit", () => {
    expect(messages(serverWith("port: 8k"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:9  server.port  must be a port from 0 to 65535, got "8k"
          2 |   port: 8k
            |         ^"
    `);
  });

  test("a body size without a unit", () => {
    expect(messages(serverWith("max_body_size: 32"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:18  server.max_body_size  must be a size like 32MB (units B, kB, MB, GB, KiB, MiB, GiB), got 32
          2 |   max_body_size: 32
            |                  ^"
    `);
  });

  test("a body size that is too small", () => {
    expect(messages(serverWith("max_body_size: 0MB"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:18  server.max_body_size  must be at least 1kB, got "0MB"
          2 |   max_body_size: 0MB
            |                  ^"
    `);
  });

  test("a duration without a unit", () => {
    expect(messages(serverWith("drain_timeout: 30"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:18  server.drain_timeout  must be a duration like 30s (units ms, s, m, h), got 30
          2 |   drain_timeout: 30
            |                  ^
        hint: did you mean 30s?"
    `);
  });

  test("a duration in a unit that nobody has", () => {
    expect(messages(deploymentWith("queue: { max_wait: 30 parsecs }"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:24  deployments.a.queue.max_wait  must be a duration like 30s (units ms, s, m, h), got "30 parsecs"
          4 |   queue: { max_wait: 30 parsecs }
            |                      ^"
    `);
  });

  test("a duration that no timer can hold", () => {
    expect(messages(deploymentWith("timeouts: { idle: 1000h }"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:23  deployments.a.timeouts.idle  must be at most 24h, got "1000h"
          4 |   timeouts: { idle: 1000h }
            |                     ^"
    `);
  });

  test("a duration of nothing", () => {
    expect(messages(deploymentWith("timeouts: { connect: 0s }"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:26  deployments.a.timeouts.connect  must be at least 1ms, got "0s"
          4 |   timeouts: { connect: 0s }
            |                        ^"
    `);
  });

  test("zero seats", () => {
    expect(messages(deploymentWith("max_concurrent: 0"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:21  deployments.a.max_concurrent  must be at least 1, got 0
          4 |   max_concurrent: 0
            |                   ^"
    `);
  });

  test("half a seat", () => {
    expect(messages(deploymentWith("max_concurrent: 0.5"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:21  deployments.a.max_concurrent  must come out as a whole number, got 0.5
          4 |   max_concurrent: 0.5
            |                   ^"
    `);
  });

  test("milli-tokens", () => {
    expect(messages(deploymentWith("max_inflight_tokens: 160m"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:26  deployments.a.max_inflight_tokens  must be a whole number like 5, 160k or 2M, got "160m"
          4 |   max_inflight_tokens: 160m
            |                        ^
        hint: did you mean 160M?"
    `);
  });

  test("a word for a switch", () => {
    expect(messages(deploymentWith("forward_client_credentials: yes"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:33  deployments.a.forward_client_credentials  must be true or false, got "yes"
          4 |   forward_client_credentials: yes
            |                               ^
        hint: did you mean true?"
    `);
  });

  test("a mistyped choice", () => {
    expect(
      messages("deployments:\n  a:\n    backends: [{ url: http://127.0.0.1:8081, on_client_disconnect: abrot }]\n"),
    ).toMatchInlineSnapshot(`
      "headgate.yaml:3:68  deployments.a.backends[0].on_client_disconnect  must be abort or drain, got "abrot"
          3 |   backends: [{ url: http://127.0.0.1:8081, on_client_disconnect: abrot }]
            |                                                                  ^
        hint: did you mean abort?"
    `);
  });

  test("a model that is a number", () => {
    expect(messages(deploymentWith("models: [4]"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:14  deployments.a.models[0]  must be a model name, got 4
          4 |   models: [4]
            |            ^
        hint: put a name that looks like a number or a word of YAML in quotes"
    `);
  });

  test("a model with a wildcard in it", () => {
    expect(messages(deploymentWith('models: ["gpt-*"]'))).toMatchInlineSnapshot(`
      "headgate.yaml:4:14  deployments.a.models[0]  must be a whole model name, or "*" alone for all the rest, got "gpt-*"
          4 |   models: ["gpt-*"]
            |            ^"
    `);
  });

  test("a model with a blank", () => {
    expect(messages(deploymentWith("models: [my model]"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:14  deployments.a.models[0]  must be a model name of 1 to 256 characters without blanks, got "my model"
          4 |   models: [my model]
            |            ^"
    `);
  });

  test("zero models", () => {
    expect(messages(deploymentWith("models: []"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:13  deployments.a.models  must have at least one item
          4 |   models: []
            |           ^"
    `);
  });

  test("a model that is not in a list", () => {
    expect(messages(deploymentWith("models: qwen3"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:13  deployments.a.models  must be a list, got "qwen3"
          4 |   models: qwen3
            |           ^
        hint: put it in brackets, or on a line of its own after a dash"
    `);
  });
});
