import { readFile } from "node:fs/promises";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { jsonSchema } from "../../src/config/index.ts";
import { COMPLETE, configOf, deploymentWith, digest, parse } from "./kit.ts";

const validate = new Ajv({ allowUnionTypes: true, allErrors: true }).compile(jsonSchema());

/** What an editor would mark in a file. */
function marks(text: string): readonly string[] {
  validate(parseYaml(text));
  return (validate.errors ?? []).map(({ instancePath, message = "" }) => `${instancePath} ${message}`);
}

/** The file of a platform team: one deployment, three floors, one exception. */
const TEAM_FILE = `
server: { host: 127.0.0.1, port: 8080 }
admin:  { host: 127.0.0.1, port: 9090 }
deployments:
  gpt-oss-20b:
    models: [gpt-oss-20b, gpt-oss]
    backends:
      - { url: "http://127.0.0.1:8081", api_key: "\${NIM_API_KEY:-}" }
    max_concurrent: 20
    max_inflight_tokens: 160k
    queue: { max_length: 200, max_wait: 30s }
    capacity: { requests_per_minute: 1000, utilization_threshold: 80% }
    limits:
      requests_per_minute: 300
      tokens_per_hour: 2M
      concurrent_requests: 10
      input_tokens: 8000
    exceptions:
      intern-notebook: { requests_per_minute: 20 }
    reservations:
      production-agent-a: 30%
      production-agent-b: 20%
      production-agent-c: 30%
consumers:
  production-agent-a: { kind: deployment, keys: ["${digest("a")}"] }
  production-agent-b: { kind: deployment, keys: ["${digest("b")}"] }
  production-agent-c: { kind: deployment, keys: ["${digest("c")}"] }
  data-science:       { kind: group }
  intern-notebook:    { kind: user, groups: [data-science], keys: ["${digest("d")}"] }
`;

test("the schema is draft-07", () => {
  expect(jsonSchema().$schema).toBe("http://json-schema.org/draft-07/schema#");
  // Ajv holds it against the meta-schema of draft-07 when it compiles it, and its strict mode against what makes no sense.
  expect(validate.schema).toEqual(jsonSchema());
});

describe("a file that the gate takes", () => {
  test.each([
    ["with every key", COMPLETE],
    ["with a backend alone", deploymentWith()],
    ["of a platform team", TEAM_FILE],
  ])("%s has no marks", (_, text) => {
    expect(marks(text)).toEqual([]);
    expect(parse(text).kind).toBe("valid");
  });

  test.each(["fragile-gpu", "six-teams"])("of the example %s has no marks, and nothing to warn of", async (name) => {
    const text = await readFile(new URL(`../../examples/${name}/headgate.yaml`, import.meta.url), "utf8");
    expect(marks(text)).toEqual([]);
    expect(parse(text)).toMatchObject({ kind: "valid", warnings: [] });
  });

  test("may have a variable in place of every value", () => {
    const text = COMPLETE.replace("port: 8080", 'port: "${PORT}"')
      .replace("30%", '"${PART}"')
      .replace("5m", '"${WAIT}"');
    expect(marks(text)).toEqual([]);
    expect(configOf(parse(text, { PORT: "1", PART: "10%", WAIT: "1s" })).server.port).toBe(1);
  });
});

describe("a mistake is marked", () => {
  test.each([
    ["a typo", "max_concurrent", "max_concurent"],
    ["a typo in a limit", "tokens_per_hour", "token_per_hour"],
    ["a typo in an exception", "strict: true", "strct: true"],
    ["a typo in a consumer", "groups:", "group:"],
    ["a duration without unit", "max_wait: 5m", "max_wait: 5"],
    ["a part that is no percentage", "fraud: 30%", "fraud: 0.3"],
    ["a key in place of its digest", "sha256:1111", "hg_live_1111"],
    ["an unknown kind", "kind: deployment", "kind: robot"],
    ["a block that is an address", "10.0.0.0/8", "10.0.0.1"],
  ])("%s", (_, right, wrong) => {
    const text = COMPLETE.replace(right, wrong);
    expect(text).not.toBe(COMPLETE);
    expect(marks(text)).not.toEqual([]);
    expect(parse(text).kind).toBe("invalid");
  });
});
