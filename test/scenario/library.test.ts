import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  findScenario,
  listScenarios,
  readScenario,
  scenarioReferencePage,
  starterScenario,
} from "../../src/lab/scenario/index.ts";
import { COMPLETE, loadWith, parse, report } from "./kit.ts";

const NAMES = [
  "abort-storm",
  "batch-at-night",
  "config-edit-under-load",
  "fragile-gpu",
  "late-joiner",
  "noisy-neighbour",
  "prompt-speed",
  "shared-deployment",
  "twenty-times",
];

describe("what is built in", () => {
  test("is this list", async () => {
    const list = await listScenarios();
    expect(list.map(({ name }) => name)).toEqual(NAMES);
    for (const { description } of list) expect(description).toMatch(/^[A-Z].{20,300}\.$/);
  });

  test.each(NAMES)("%s is in order, and asserts something", async (name) => {
    const found = await findScenario(name);
    const result = await readScenario(found.kind === "found" ? found.path : "", {});
    expect(report(result)).toBe("");
    const scenario = result.kind === "valid" ? result.scenario : undefined;
    expect(scenario?.name).toBe(name);
    expect(scenario?.assertions.length).toBeGreaterThan(0);
  });

  test("shared-deployment has the article's six situations", async () => {
    const found = await findScenario("shared-deployment");
    const result = await readScenario(found.kind === "found" ? found.path : "", {});
    const phases = result.kind === "valid" ? result.scenario.phases : [];
    const offered = phases.map(({ loads }) =>
      loads.reduce((sum, { arrivals }) => sum + ("perMinute" in arrivals ? arrivals.perMinute : 0), 0),
    );
    expect(offered).toEqual([600, 1_200, 7_200, 12_000, 9_000, 7_200]);
    expect(phases.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0)).toBe(17 * 60_000);
  });

  test("fragile-gpu asks as often as the article did", async () => {
    const found = await findScenario("fragile-gpu");
    const result = await readScenario(found.kind === "found" ? found.path : "", {});
    const phases = result.kind === "valid" ? result.scenario.phases : [];
    const requests = phases.map(({ loads }) => {
      const [arrivals] = loads.map(({ arrivals }) => arrivals);
      if (arrivals?.kind === "burst") return arrivals.sizes.reduce((sum, size) => sum + size, 0);
      return arrivals?.kind === "workers" ? arrivals.steps.length * (arrivals.requests ?? Infinity) : Infinity;
    });
    expect(requests).toEqual([60, 85, 5, 5, 4, 50, 21]);
  });
});

describe("a scenario is found", () => {
  test("by a path, whether it is there or not", async () => {
    expect(await findScenario("./mine.yaml")).toEqual({ kind: "found", path: "./mine.yaml" });
    expect(await findScenario("package.json")).toEqual({ kind: "found", path: "package.json" });
  });

  test("not by a name that nobody has, which is told what was meant", async () => {
    expect(await findScenario("fragile-cpu")).toEqual({
      kind: "unknown",
      rule: "is neither a built-in scenario nor a file",
      hint: "did you mean fragile-gpu?",
    });
    expect(await findScenario("zzz")).toMatchObject({ hint: `built in: ${NAMES.join(", ")}` });
  });
});

describe("a file", () => {
  function write(files: Readonly<Record<string, string>>): string {
    const folder = mkdtempSync(join(tmpdir(), "headgate-scenario-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return folder;
  }

  test("is read with the traces beside it", async () => {
    const folder = write({
      "night.yaml": loadWith("a: { replay: t.jsonl }", "b: { replay: ./gone.jsonl }"),
      "t.jsonl": '{"timestamp": 0, "input_length": 100, "output_length": 5}\n',
    });
    const result = await readScenario(join(folder, "night.yaml"), {});
    expect(report(result).replace(folder, "")).toMatch(
      /^\/night\.yaml:9:20  phases\[0\]\.load\.b\.replay  is a file that does not exist, got "\.\/gone\.jsonl"\n/,
    );
    expect(result).toMatchObject({ problems: [{ line: 9 }] });
  });

  test("that is not there is a problem like any other", async () => {
    const result = await readScenario("/nowhere/x.yaml", {});
    expect(report(result)).toContain("/nowhere/x.yaml  does not exist\n  hint: headgate load --list");
  });

  test("takes its variables from the environment", async () => {
    const folder = write({ "s.yaml": COMPLETE });
    const result = await readScenario(join(folder, "s.yaml"), { FRAUD_KEY: "hg_other" });
    expect(result.kind === "valid" && result.scenario.consumers[0]).toEqual({ name: "fraud", key: "hg_other" });
  });
});

test("the scenario to begin with is in order and is over within a minute", () => {
  const result = parse(starterScenario);
  expect(report(result)).toBe("");
  const { phases = [], speed = 1 } = result.kind === "valid" ? result.scenario : {};
  expect(phases.reduce((sum, { durationMs = Infinity }) => sum + durationMs, 0) / speed).toBeLessThan(60_000);
});

test("docs/reference/scenarios.md is what the schema says, and names what is built in", async () => {
  const page = new URL("../../docs/reference/scenarios.md", import.meta.url);
  expect(await readFile(page, "utf8")).toBe(scenarioReferencePage());
  for (const name of NAMES) expect(scenarioReferencePage()).toContain(`\`${name}\``);
});
