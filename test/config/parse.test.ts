import { describe, expect, test } from "vitest";
import type { Config } from "../../src/config/index.ts";
import { jsonSchema, parseConfig } from "../../src/config/index.ts";
import {
  COMPLETE,
  CONSUMERS,
  configOf,
  consumersWith,
  deploymentWith,
  digest,
  messages,
  parse,
  policyWith,
  serverWith,
} from "./kit.ts";

describe("a valid file", () => {
  test("with every key becomes the configuration that it says", () => {
    const result = parse(COMPLETE, { NIM_API_KEY: "k3y" });
    expect(result).toEqual({
      kind: "valid",
      warnings: [],
      config: {
        server: { host: "127.0.0.1", port: 8080, maxBodyBytes: 32_000_000, drainTimeoutMs: 600_000 },
        deployments: [
          {
            name: "qwen3",
            models: ["qwen3-235b-thinking", "*"],
            backends: [
              { url: "http://127.0.0.1:8081/", apiKey: "k3y", maxConcurrent: 5, onClientDisconnect: "abort" },
              { url: "http://127.0.0.1:8082/", onClientDisconnect: "abort" },
            ],
            maxConcurrent: 5,
            maxInflightTokens: 160_000,
            queue: { maxLength: 200, maxWaitMs: 300_000, maxBytes: 256_000_000 },
            timeouts: { connectMs: 5000, firstByteMs: 600_000, idleMs: 600_000 },
            maxUnseated: 16,
            forwardClientCredentials: false,
            limits: {
              values: {
                requests_per_minute: 300,
                tokens_per_hour: 2_000_000,
                concurrent_requests: 10,
                input_tokens: 8000,
              },
              strict: undefined,
            },
            exceptions: new Map([["intern", { values: { requests_per_minute: 200 }, strict: true }]]),
            capacity: {
              requestsPerMinute: 1000,
              tokensPerMinute: 200_000,
              utilizationThreshold: 0.75,
              burstSeconds: 5,
              meterSeconds: 60,
            },
            reservations: new Map([
              ["fraud", 0.3],
              ["science", 0.2],
            ]),
            mode: "reject",
            modes: new Map([["intern", "queue"]]),
            allowed: new Set(["fraud", "science"]),
            charge: "on_completion",
            tokenizer: "o200k",
          },
        ],
        admin: { host: "127.0.0.1", port: 9090 },
        consumers: [
          { name: "fraud", kind: "deployment", groups: [], keys: [{ sha256: "1".repeat(64) }], enabled: true },
          { name: "science", kind: "group", groups: [], keys: [], enabled: true },
          {
            name: "intern",
            kind: "user",
            groups: ["science"],
            keys: [{ sha256: "2".repeat(64), expiresAt: Date.UTC(2027, 0, 31) }],
            enabled: true,
          },
        ],
        anonymous: "refuse",
        identity: { header: "x-consumer", trustedProxies: ["10.0.0.0/8", "fd00::/8"] },
        jwt: {
          issuer: "https://login.example.org",
          audience: "headgate",
          jwks: "https://login.example.org/keys",
          claim: "email",
        },
      },
    });
  });

  test("with a backend alone takes every default", () => {
    expect(configOf(parse(deploymentWith()))).toEqual({
      server: { host: "127.0.0.1", port: 8080, maxBodyBytes: 32_000_000, drainTimeoutMs: 600_000 },
      deployments: [
        {
          name: "a",
          models: ["*"],
          backends: [{ url: "http://127.0.0.1:8081/", onClientDisconnect: "abort" }],
          maxConcurrent: 5,
          maxInflightTokens: Infinity,
          queue: undefined,
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
    });
  });

  test("may be JSON, have Windows line ends, or begin with a byte order mark", () => {
    const plain = parse(COMPLETE);
    expect(parse(COMPLETE.replaceAll("\n", "\r\n"))).toEqual(plain);
    expect(parse(`\uFEFF${COMPLETE}`)).toEqual(plain);
    expect(parse('{"deployments": {"a": {"backends": ["http://127.0.0.1:8081"]}}}').kind).toBe("valid");
  });

  test("may share a value between deployments by an alias", () => {
    const text =
      "deployments:\n" +
      "  a: { backends: [http://h:1], models: [a], queue: &q { max_length: 7 } }\n" +
      "  b: { backends: [http://h:2], models: [b], queue: *q }\n";
    expect(configOf(parse(text)).deployments.map((deployment) => deployment.queue?.maxLength)).toEqual([7, 7]);
  });
});

describe("defaults and spellings", () => {
  const consumers = (...lines: readonly string[]): Config => configOf(parse(consumersWith(...lines)));

  test("admin: {} listens on loopback, and asks for no token", () => {
    expect(configOf(parse("admin: {}\n" + deploymentWith())).admin).toEqual({ host: "127.0.0.1", port: 9090 });
  });

  test("a consumer is an enabled user", () => {
    expect(consumers("alice: {}").consumers).toEqual([
      { name: "alice", kind: "user", groups: [], keys: [], enabled: true },
    ]);
  });

  test("a digest is known in lower case, whichever way it is given", () => {
    const [alice] = consumers(
      `alice: { keys: ["SHA256:${"A".repeat(64)}", { sha256: "${"B".repeat(64)}" }] }`,
    ).consumers;
    expect(alice?.keys).toEqual([{ sha256: "a".repeat(64) }, { sha256: "b".repeat(64) }]);
  });

  test.each([
    ["2027-01-31", Date.UTC(2027, 0, 31)],
    ["2027-01-31T12:00:00Z", Date.UTC(2027, 0, 31, 12)],
    ["2027-01-31T12:00:00+02:00", Date.UTC(2027, 0, 31, 10)],
    ["2028-02-29", Date.UTC(2028, 1, 29)],
  ])("a key that expires on %s does so then", (text, expiresAt) => {
    const [alice] = consumers(`alice: { keys: [{ sha256: "${"a".repeat(64)}", expires: ${text} }] }`).consumers;
    expect(alice?.keys[0]?.expiresAt).toBe(expiresAt);
  });

  test("names that JavaScript has plans for are names like any other", () => {
    const config = configOf(
      parse(
        policyWith("exceptions: { constructor: { requests_per_minute: 1 } }", "allow: [toString]") +
          `  constructor: { keys: ["${digest("1")}"] }\n  toString: { keys: ["${digest("2")}"] }\n`,
      ),
    );
    expect(config.consumers.map(({ name }) => name)).toEqual(["alice", "bob", "team", "constructor", "toString"]);
    expect([...(config.deployments[0]?.exceptions.keys() ?? [])]).toEqual(["constructor"]);
    expect(messages(policyWith("allow: [toString, valueOf]"))).toMatch(/toString[^]*valueOf/);
  });

  test("capacity alone takes the threshold, the burst and the meter that the design recommends", () => {
    expect(configOf(parse(policyWith("capacity: { tokens_per_minute: 200k }"))).deployments[0]?.capacity).toEqual({
      requestsPerMinute: undefined,
      tokensPerMinute: 200_000,
      utilizationThreshold: 0.8,
      burstSeconds: 10,
      meterSeconds: 30,
    });
  });

  test("the claim of a token is its subject", () => {
    const text = "jwt: { issuer: i, audience: a, jwks: /etc/keys.json }\n" + CONSUMERS + deploymentWith();
    expect(configOf(parse(text)).jwt).toEqual({ issuer: "i", audience: "a", jwks: "/etc/keys.json", claim: "sub" });
  });
});

test.each([
  [1, 64],
  [16, 64],
  [17, 68],
  [40, 160],
])("with %i seats, queue: {} holds %i requests for 5 minutes", (seats, maxLength) => {
  const config = configOf(parse(deploymentWith(`max_concurrent: ${seats}`, "queue: {}")));
  expect(config.deployments[0]?.queue).toEqual({ maxLength, maxWaitMs: 300_000, maxBytes: 256_000_000 });
});

test.each([
  ["http://127.0.0.1:8081", "http://127.0.0.1:8081/"],
  ["HTTPS://API.Example.org:443/v2/models///", "https://api.example.org/v2/models"],
  ["http://[::1]:8081/a/../b", "http://[::1]:8081/b"],
])("the backend %s is %s", (url, expected) => {
  expect(configOf(parse(`deployments: { a: { backends: ["${url}"] } }`)).deployments[0]?.backends[0]?.url).toBe(
    expected,
  );
});

describe("variables", () => {
  test("fill every kind of value", () => {
    const text = COMPLETE.replace("port: 8080", "port: ${PORT}")
      .replace("drain_timeout: 10m", 'drain_timeout: "${WAIT}"')
      .replace("160k", '"${TOKENS:-2M}"')
      .replace("credentials: false", "credentials: ${FORWARD}")
      .replace("http://127.0.0.1:8082", "http://${BACKEND}:8082");
    const config = configOf(parse(text, { PORT: "9999", WAIT: "1m", FORWARD: "true", BACKEND: "gpu-2" }));
    expect(config.server).toMatchObject({ port: 9999, drainTimeoutMs: 60_000 });
    expect(config.deployments[0]).toMatchObject({ maxInflightTokens: 2_000_000, forwardClientCredentials: true });
    expect(config.deployments[0]?.backends[1]?.url).toBe("http://gpu-2:8082/");
  });

  test("cannot bring YAML into the file", () => {
    const env = { KEY: 'x"\n    max_concurrent: 1000\n#' };
    expect(parse(COMPLETE.replace("NIM_API_KEY:-", "KEY"), env).kind).toBe("invalid");
    expect(messages(COMPLETE.replace("NIM_API_KEY:-", "KEY"), env)).not.toContain("1000");
  });

  test("are not filled into keys", () => {
    expect(messages("deployments: { '${NAME}': { backends: [http://h:1] } }", { NAME: "a" })).toContain(
      "must be a name",
    );
  });

  test("an empty key is no key", () => {
    const [backend] = configOf(parse(COMPLETE)).deployments[0]?.backends ?? [];
    expect(backend).not.toHaveProperty("apiKey");
  });
});

test.each([
  ["under a mistyped key", deploymentWith("api_kye: hunter2")],
  ["with a blank in it", "deployments: { a: { backends: [{ url: http://h:1, api_key: hunter2 hunter2 }] } }"],
  ["beside a syntax error", "deployments: { a: { backends: [{ url: http://h:1, api_key: hunter2 ] }] } }"],
  [
    "in a quote that is never closed",
    'deployments:\n  a:\n    backends:\n      - api_key: "hunter2\n        url: http://h:1\n',
  ],
  [
    "on a line of its own",
    "deployments:\n  a:\n    backends:\n      - api_key:\n          hunter2 hunter2\n        url: x\n",
  ],
  [
    "in a block of text",
    "deployments:\n  a:\n    backends:\n      - api_key: |\n          hunter2 hunter2\n        url: x\n",
  ],
  [
    "behind an anchor",
    "mine: &mine hunter2 x\ndeployments: { a: { backends: [{ url: http://h:1, api_key: *mine }] } }",
  ],
  ["without its colon", "deployments:\n  a:\n    backends:\n      - api_key hunter2\n"],
  ["as a list", "deployments: { a: { backends: [{ url: http://h:1, api_key: [hunter2] }] } }"],
  ["as the default of a variable", "deployments: { a: { backends: [{ url: x, api_key: '${K:-hunter2} x' }] } }"],
  ["in place of its digest", "consumers: { a: { keys: [hunter2] } }\ndeployments: { a: { backends: [http://h:1] } }"],
  ["as a digest", "consumers: { a: { keys: [{ sha256: hunter2 }] } }\ndeployments: { a: { backends: [http://h:1] } }"],
  ["as a short token", "admin: { token: hunter2 }\ndeployments: { a: { backends: [http://h:1] } }"],
  ["as the password of a URL", "deployments: { a: { backends: ['http://me:hunter2@h:1'] } }"],
  ["as the value of a variable", "deployments: { a: { backends: ['${SECRET}'], max_concurrent: '${SECRET}' } }"],
])("a key %s does not show", (_, text) => {
  const result = parse(text, { SECRET: "hunter2" });
  expect(result.kind).toBe("invalid");
  expect(JSON.stringify(result)).not.toContain("hunter2");
});

test("all mistakes of a file are reported at once, in the order of the file", () => {
  const text = COMPLETE.replace("port: 8080", "port: 80800")
    .replace("32MB", "32 mb")
    .replace("on_client_disconnect: abort", "on_client_disconnect: abrot")
    .replace('"*"]', '"*", "*"]')
    .replace("http://127.0.0.1:8082", "127.0.0.1:8082")
    .replace("max_wait: 5m", "max_wait: 30 parsecs")
    .replace("max_unseated", "max_unsaeted")
    .replace("fraud: 30%", "fruad: 30%")
    .replace("science: 20%", "science: 20")
    .replace("[science]", "[sceince]")
    .replace("10.0.0.0/8", "10.0.0.0")
    .replace("${NIM_API_KEY:-}", "${NIM_API_KEY}");
  const result = parse(`${text}state: ./here\n`);
  const problems = result.kind === "invalid" ? result.problems : [];
  expect(problems.map(({ line, column, path }) => `${line}:${column} ${path}`)).toEqual([
    "3:9 server.port",
    "4:18 server.max_body_size",
    "8:40 deployments.qwen3.models[2]",
    "11:18 deployments.qwen3.backends[0].api_key",
    "13:31 deployments.qwen3.backends[0].on_client_disconnect",
    "14:9 deployments.qwen3.backends[1]",
    "17:41 deployments.qwen3.queue.max_wait",
    "19:5 deployments.qwen3.max_unsaeted",
    "25:21 deployments.qwen3.reservations.fruad",
    "25:42 deployments.qwen3.reservations.science",
    "37:14 consumers.intern.groups[0]",
    "42:51 identity.trusted_proxies[0]",
    "44:1 state",
  ]);
});

describe("where the gate listens", () => {
  test.each(["127.0.0.1", "localhost", "'::1'", "127.8.8.8", "'::ffff:127.0.0.1'"])("%s is loopback", (host) => {
    expect(messages(serverWith(`host: ${host}`))).toBe("");
  });

  test.each(["0.0.0.0", "'::'", "192.168.0.1", "gate.example.org", "'fe80::1'"])("%s is not", (host) => {
    expect(messages(serverWith(`host: ${host}`))).toContain("anybody who reaches this address can use the model");
  });
});

describe("a backend leads back to the gate", () => {
  const file = (host: string, port: number, url: string): string =>
    `server: { host: "${host}", port: ${port} }\ndeployments: { a: { backends: ["${url}"] } }\n`;

  test.each([
    ["127.0.0.1", 8081, "http://127.0.0.1:8081"],
    ["localhost", 8081, "http://[::1]:8081"],
    ["0.0.0.0", 80, "http://127.0.0.1"],
    ["::", 443, "https://localhost"],
    ["Gate.Example.org", 8081, "http://gate.example.org.:8081"],
  ])("at %s:%i from %s", (host, port, url) => {
    expect(messages(file(host, port, url))).toContain("is the address that the gate itself listens on");
  });

  test.each([
    ["127.0.0.1", 8080, "http://127.0.0.1:8081"],
    ["127.0.0.1", 8081, "http://[::1]:8081"],
    ["127.0.0.1", 8081, "http://127.0.0.2:8081"],
    ["0.0.0.0", 8081, "http://gpu-2:8081"],
    ["127.0.0.1", 0, "http://127.0.0.1"],
  ])("but not at %s:%i from %s", (host, port, url) => {
    expect(messages(file(host, port, url))).not.toContain("listens on");
  });
});

test("a file that is too large is refused before it is parsed", () => {
  const result = parseConfig({ file: "big.yaml", text: "#".repeat(1_000_001), env: {} });
  expect(result).toEqual({
    kind: "invalid",
    problems: [
      {
        severity: "error",
        file: "big.yaml",
        line: 0,
        column: 0,
        path: "",
        rule: "is larger than 1MB, which no configuration is",
      },
    ],
  });
});

test("the JSON Schema is draft-07 and describes every key", () => {
  const schema = jsonSchema();
  expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#");
  expect(Object.keys(schema.properties ?? {})).toEqual([
    "server",
    "admin",
    "deployments",
    "consumers",
    "anonymous",
    "identity",
    "jwt",
  ]);
});
