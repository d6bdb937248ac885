import { describe, expect, test } from "vitest";
import { formatProblems, parseConfig } from "../../src/config/index.ts";
import { digestOf } from "../../src/gateway/auth/key.ts";
import { BACKEND_PLACEHOLDER, configFor, gateFile } from "../../src/lab/scenario/index.ts";
import type { GateSection } from "../../src/lab/scenario/types.ts";
import { COMPLETE, GATE, messages, ONE_PHASE, parse, phasesWith, scenarioOf, scenarioWith } from "./kit.ts";

const BACKENDS = ["http://127.0.0.1:9001", "http://127.0.0.1:9002"];

function gateOf(text: string): GateSection {
  const { gate } = scenarioOf(parse(text));
  if (gate === undefined) throw new Error("no gate");
  return gate;
}

describe("the gate of a scenario", () => {
  test("has a placeholder for a backend, and a key for each who sends load", () => {
    const { config } = gateOf(COMPLETE);
    expect(config.deployments[0]?.backends.map(({ url }) => url)).toEqual([`${BACKEND_PLACEHOLDER}/`]);
    const keys = new Map(config.consumers.map(({ name, keys }) => [name, keys.map(({ sha256 }) => sha256)]));
    expect(keys.get("fraud")).toEqual([digestOf("hg_fraud")]);
    expect(keys.get("support")).toEqual([digestOf("lab-support")]);
    expect(keys.get("user-3")).toEqual([digestOf("lab-user-3")]);
    expect(keys.get("users")).toEqual([]);
    expect([...keys.keys()].sort()).toEqual(["batch", "fraud", "support", "user-1", "user-2", "user-3", "users"]);
    expect(config.consumers.filter(({ groups }) => groups.includes("users"))).toHaveLength(3);
  });

  test("is none where there is no section", () => {
    expect(scenarioOf(parse(scenarioWith(ONE_PHASE))).gate).toBeUndefined();
  });

  test("tells consumers apart that the section does not name", () => {
    expect(gateOf(GATE + scenarioWith(ONE_PHASE)).config.consumers.map(({ name, kind }) => [name, kind])).toEqual([
      ["a", "user"],
      ["b", "user"],
    ]);
  });

  test("is changed by a phase, key by key", () => {
    const { gate, phases } = scenarioOf(parse(COMPLETE));
    const changed = phases[1]?.gate?.config.deployments[0];
    expect(phases[0]?.gate).toBeUndefined();
    expect(gate?.config.deployments[0]?.reservations.get("support")).toBe(0.2);
    expect([...(changed?.reservations ?? [])]).toEqual([
      ["fraud", 0.3],
      ["support", 0.4],
    ]);
    expect(changed?.maxConcurrent).toBe(32);
  });

  test("is changed by one phase after the other", () => {
    const edit = (name: string, change: string): string =>
      `- { name: ${name}, duration: 1m, load: { a: 1/m, b: 1/m }, gate: { deployments: { m: ${change} } } }`;
    const { phases } = scenarioOf(
      parse(phasesWith(edit("one", "{ max_concurrent: 7 }"), edit("two", "{ reservations: { a: 40% } }"))),
    );
    expect(phases[1]?.gate?.config.deployments[0]).toMatchObject({ maxConcurrent: 7 });
    expect(phases[1]?.gate?.config.deployments[0]?.reservations.get("a")).toBe(0.4);
  });
});

describe("a mistake in the gate", () => {
  test.each([
    ["an unknown key", "m: { max_concurrent: 9, qeue: {} }", "4:29  gate.deployments.m.qeue  is an unknown key"],
    ["a bad value", "m: { max_concurrent: none }", "4:26  gate.deployments.m.max_concurrent  must be a whole number"],
    [
      "too much reserved",
      "m: { capacity: { requests_per_minute: 9 }, reservations: { a: 60%, b: 50% } }",
      "gate.deployments.m.reservations  add up to 110%",
    ],
    [
      "a stranger",
      "m: { capacity: { requests_per_minute: 9 }, max_concurrent: 9, reservations: { c: 60% } }",
      'reservations.c  is no consumer of this file, got "c"',
    ],
    ["a backend", 'm: { backends: ["http://127.0.0.1:1"] }', "gate.deployments.m.backends  is not part of a scenario"],
  ])("%s stands where it is in the scenario", (_, deployment, message) => {
    const text = `gate:\n  # One.\n  deployments:\n    ${deployment}\n${scenarioWith(ONE_PHASE)}`;
    expect(messages(text)).toContain(message);
  });

  test.each(["server: { port: 1 }", "admin: {}", "jwt: {}", "identity: {}"])("%s is filled in by the lab", (line) => {
    expect(messages(GATE.replace("gate:", `gate:\n  ${line}`) + scenarioWith(ONE_PHASE))).toContain(
      `2:3  gate.${line.split(":")[0]}  is not part of a scenario`,
    );
  });

  test("keys of consumers are filled in by the lab", () => {
    expect(messages(`${GATE}  consumers: { a: { keys: [] } }\n${scenarioWith(ONE_PHASE)}`)).toContain(
      "gate.consumers.a.keys  is not part of a scenario",
    );
  });

  test("a group sends no load", () => {
    expect(messages(`${GATE}  consumers: { a: { kind: group } }\n${scenarioWith(ONE_PHASE)}`)).toContain(
      "gate.consumers.a.kind  is group, but it sends load",
    );
  });

  test("of one of several that are alike is one mistake", () => {
    const text = COMPLETE.replace("user: { groups: [users] }", "user: { groups: [uses] }");
    expect(messages(text).match(/is no consumer/g)).toHaveLength(1);
    expect(messages(text)).toContain("17:22  gate.consumers.user.groups[0]  is no consumer of this file");
  });

  test("that a phase brings about stands in that phase, and is not told twice", () => {
    const wrong = COMPLETE.replace("support: 40%", "support: 80%");
    expect(messages(wrong)).toContain("phases[1].gate.deployments.gpt-oss-20b.reservations  add up to 110%");
    expect(messages(wrong)).not.toContain("\n\n");
    const both = COMPLETE.replace("max_concurrent: 32", "max_concurrent: x");
    expect(messages(both).match(/must be a whole number/g)).toHaveLength(1);
  });

  test("is a change to nothing", () => {
    const text = phasesWith("- { name: one, duration: 1m, load: { a: 1/m, b: 1/m }, gate: {} }").replace(GATE, "");
    expect(messages(text)).toContain("phases[0].gate  has no gate that it could change");
  });
});

describe("the file for a gate of the lab's own", () => {
  test("is a configuration without warnings that means the same", () => {
    const section = gateOf(COMPLETE);
    const text = gateFile(section, { backends: BACKENDS, port: 4001, adminPort: 4002 });
    const result = parseConfig({ file: "gate.json", text, env: {} });
    expect(formatProblems(result.kind === "valid" ? result.warnings : result.problems, { color: false })).toBe("");
    const config = result.kind === "valid" ? result.config : undefined;
    const { server, admin } = config ?? {};
    expect([server?.host, server?.port, admin?.port]).toEqual(["127.0.0.1", 4001, 4002]);
    expect(config).toEqual({ ...configFor(section, BACKENDS), server, admin });
  });

  test("has no listener for operators unless it is asked for", () => {
    expect(gateFile(gateOf(COMPLETE), { backends: BACKENDS, port: 0 })).not.toContain('"admin"');
  });

  test("keeps a dollar sign that is meant as one", () => {
    const text =
      GATE.replace("max_concurrent: 9", () => 'max_concurrent: 9, models: ["a$${b}"]') + scenarioWith(ONE_PHASE);
    const file = gateFile(gateOf(text), { backends: BACKENDS, port: 1 });
    const result = parseConfig({ file: "gate.json", text: file, env: {} });
    expect(result).toMatchObject({ kind: "valid", config: { deployments: [{ models: ["a${b}"] }] } });
  });

  test("takes only URLs that a backend can have", () => {
    expect(() => configFor(gateOf(COMPLETE), ["127.0.0.1"])).toThrow(RangeError);
    expect(() => configFor(gateOf(COMPLETE), [])).toThrow(RangeError);
  });
});
