import { expect, test } from "vitest";
import { parseConfig, simpleConfig } from "../../src/config/index.ts";
import { configOf, report } from "./kit.ts";

test("three flags are a whole configuration", () => {
  const flags = simpleConfig({ port: 8080, backends: ["http://localhost:8081"], maxConcurrent: 5 });
  expect(flags).toEqual({
    kind: "valid",
    warnings: [],
    config: {
      server: { host: "127.0.0.1", port: 8080, maxBodyBytes: 32_000_000, drainTimeoutMs: 600_000 },
      deployments: [
        {
          name: "default",
          models: ["*"],
          backends: [{ url: "http://localhost:8081/", onClientDisconnect: "abort" }],
          maxConcurrent: 5,
          maxInflightTokens: Infinity,
          queue: { maxLength: 64, maxWaitMs: 300_000, maxBytes: 256_000_000 },
          timeouts: { connectMs: 5000, firstByteMs: 600_000, idleMs: 600_000 },
          maxUnseated: 16,
          forwardClientCredentials: false,
          capacity: undefined,
          limits: { values: {}, strict: undefined },
          exceptions: new Map(),
          reservations: new Map(),
          allowed: undefined,
          mode: "reject",
          modes: new Map(),
          charge: "estimate",
          tokenizer: undefined,
        },
      ],
      admin: undefined,
      consumers: [],
      anonymous: "refuse",
      identity: undefined,
      jwt: undefined,
    },
  });
});

test("the flags say the same as a file, but that they queue by default", () => {
  const text = "deployments: { default: { backends: [http://localhost:8081], queue: {} } }";
  expect(simpleConfig({ backends: ["http://localhost:8081"] })).toEqual(parseConfig({ file: "", text, env: {} }));
});

test("every flag reaches its setting, as a number or as the text that was typed", () => {
  const numbers = simpleConfig({
    host: "localhost",
    port: 9000,
    backends: ["http://gpu-1:8000", "http://gpu-2:8000"],
    apiKey: "k3y",
    maxConcurrent: 40,
    maxInflightTokens: 160_000,
    queueLength: 10,
    queueWaitMs: 30_000,
    drainTimeoutMs: 0,
  });
  const text = simpleConfig({
    host: "localhost",
    port: "9000",
    backends: ["http://gpu-1:8000", "http://gpu-2:8000"],
    apiKey: "k3y",
    maxConcurrent: "40",
    maxInflightTokens: "160k",
    queueLength: "10",
    queueWaitMs: "30s",
    drainTimeoutMs: "0s",
  });
  expect(numbers).toEqual(text);
  const config = configOf(numbers);
  expect(config.server).toMatchObject({ host: "localhost", port: 9000, drainTimeoutMs: 0 });
  expect(config.deployments[0]).toMatchObject({
    backends: [{ apiKey: "k3y" }, { apiKey: "k3y" }],
    maxConcurrent: 40,
    maxInflightTokens: 160_000,
    queue: { maxLength: 10, maxWaitMs: 30_000 },
  });
});

test("a queue of no length or no wait is no queue", () => {
  const backends = ["http://localhost:8081"];
  for (const flags of [{ queueLength: 0 }, { queueLength: "0" }, { queueWaitMs: 0 }, { queueWaitMs: "0s" }]) {
    expect(configOf(simpleConfig({ backends, ...flags })).deployments[0]?.queue).toBeUndefined();
  }
});

test("problems name the flag", () => {
  const result = simpleConfig({
    host: "0.0.0.0",
    port: "80800",
    backends: ["localhost:8081", "http://gpu:8000", "http://gpu:8000/"],
    apiKey: "Bearer k3y",
    maxConcurrent: 0,
    maxInflightTokens: "160m",
    queueLength: "ten",
    queueWaitMs: "5 minutes",
    drainTimeoutMs: -1,
  });
  expect(report(result)).toMatchInlineSnapshot(`
    "--port  must be a port from 0 to 65535, got "80800"

    --drain-timeout  must be a duration like 30s (units ms, s, m, h), got "-1ms"

    --backend  must be a URL like http://127.0.0.1:8081, got "localhost:8081"
      hint: did you mean http://localhost:8081?

    --api-key  must be a key of visible ASCII characters, without blanks and without the word Bearer

    --max-concurrent  must be at least 1, got 0

    --max-inflight-tokens  must be a whole number like 5, 160k or 2M, got "160m"
      hint: did you mean 160M?

    --queue-length  must be a whole number like 5, 160k or 2M, got "ten"

    --queue-wait  must be a duration like 30s (units ms, s, m, h), got "5 minutes"
      hint: did you mean 5m?

    --host  warning: is not loopback, and there are no consumers: anybody who reaches this address can use the model
      hint: 127.0.0.1 keeps it to this machine, consumers with keys keep it to those you know

    --backend  is the same URL as deployments.default.backends[1].url"
  `);
});

test("no backend is a problem, and a backend that is the gate too", () => {
  expect(report(simpleConfig({ backends: [] }))).toMatchInlineSnapshot(`"--backend  is needed at least once"`);
  expect(report(simpleConfig({ backends: ["http://localhost:8080"] }))).toMatchInlineSnapshot(
    `"--backend  is the address that the gate itself listens on: its requests would come back to it"`,
  );
});
