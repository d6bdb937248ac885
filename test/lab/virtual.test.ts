/* The built-in scenarios on virtual time, through the gate's own engine and the simulated model. */
import { describe, expect, test } from "vitest";

import { judgedSides } from "../../src/lab/report/verdict.ts";
import { NO_LAGS, reportOf } from "../../src/lab/report/assemble.ts";
import type { Report, Side } from "../../src/lab/report/types.ts";
import { listScenarios, parseScenario, readScenario } from "../../src/lab/scenario/index.ts";
import type { Scenario } from "../../src/lab/scenario/types.ts";
import { lasting, sidesFor } from "../../src/lab/sides.ts";
import { runVirtualSide } from "../../src/lab/virtual/run-virtual.ts";
import { builtIn } from "./kit.ts";

async function run(scenario: Scenario, seed: number, bare = false): Promise<Report> {
  const planned = sidesFor(scenario, { targets: [], bare });
  const sides = await Promise.all(
    planned.flatMap((side) => (side.kind === "simulated" ? [runVirtualSide({ ...side, scenario, seed })] : [])),
  );
  return reportOf({
    scenario,
    version: "0",
    started: "",
    mode: "virtual",
    target: "",
    seed,
    speed: 1,
    sides,
    lags: sides.map(() => NO_LAGS),
  });
}

/** What does not hold, one line each. */
function broken(report: Report): readonly string[] {
  return judgedSides(report).flatMap(({ checks }) =>
    checks
      .filter(({ ok }) => !ok)
      .map(
        ({ phase, consumer, metric, aim, seen }) =>
          `${phase ?? "all"} ${consumer ?? ""} ${metric} ${aim}: ${seen ?? "not seen"}`,
      ),
  );
}

function onlySide(report: Report): Side {
  const [side] = report.sides;
  if (side === undefined) throw new Error("no side");
  return side;
}

const NAMES = (await listScenarios()).map(({ name }) => name);

describe("the built-in scenarios", () => {
  test.each(NAMES.flatMap((name) => [1, 2].map((seed) => ({ name, seed }))))(
    "hold what they assert: $name, seed $seed",
    async ({ name, seed }) => {
      expect(broken(await run(await builtIn(name), seed))).toEqual([]);
    },
  );

  // `npm run prove` has ten.
  test.each([3, 4, 5])("hold for other seeds of the article's: seed %i", async (seed) => {
    expect(broken(await run(await builtIn("shared-deployment"), seed))).toEqual([]);
  });
});

describe("a run", () => {
  test("is the same for the same seed, to the last figure, and another for another", async () => {
    const scenario = lasting(await builtIn("shared-deployment"), 60_000);
    expect(await run(scenario, 7)).toEqual(await run(scenario, 7));
    expect(onlySide(await run(scenario, 7)).total.sent).not.toBe(onlySide(await run(scenario, 8)).total.sent);
  });

  test("counts alike in total, by phase and by consumer, and every request that was sent ends once", async () => {
    const side = onlySide(await run(await builtIn("abort-storm"), 3));
    const count = (name: "sent" | "served" | "aborted" | "tokens_out"): readonly number[] => [
      side.total[name],
      side.phases.reduce((sum, phase) => sum + phase[name], 0),
      side.consumers.reduce((sum, consumer) => sum + consumer[name], 0),
    ];
    for (const name of ["sent", "served", "aborted", "tokens_out"] as const) expect(new Set(count(name)).size).toBe(1);
    const { sent, served, refused, incomplete, failed, aborted, gave_up: gaveUp } = side.total;
    expect(served + refused + incomplete + failed + aborted + gaveUp).toBe(sent);
    expect(aborted).toBeGreaterThan(100);
    const { consumers, at_s: starts } = side.timeline;
    expect(consumers.flatMap((row) => row.sent).reduce((sum, value) => sum + value, 0)).toBe(sent);
    expect(consumers.every((row) => row.sent.length === starts.length)).toBe(true);
  });
});

describe("negative controls", () => {
  test("without its reservations, the shared deployment keeps no floors, and the report says so", async () => {
    const { path } = { path: "scenarios/shared-deployment.yaml" };
    const result = await readScenario(path, {});
    if (result.kind !== "valid" || result.scenario.gate === undefined) throw new Error("no gate");
    const { gate } = result.scenario;
    const [deployment] = gate.config.deployments;
    if (deployment === undefined) throw new Error("no deployment");
    // The gate runs without them; the judge still goes by what was promised.
    const unfair = { ...gate.config, deployments: [{ ...deployment, reservations: new Map<string, number>() }] };
    const side = await runVirtualSide({
      name: "unfair",
      scenario: result.scenario,
      preset: "nim-gpt-oss-20b",
      gated: true,
      seed: 1,
      gateConfig: unfair,
    });
    const floors = side.checks.filter(({ metric, ok }) => metric === "floor" && !ok).map(({ phase }) => phase);
    expect(floors).toContain("heavy overload");
    expect(floors).toContain("extreme overload");
  });

  test("without the gate the fragile GPU wedges, the rest is left out, and the report says so", async () => {
    const report = await run(await builtIn("fragile-gpu"), 1, true);
    const [gated, bare] = report.sides;
    expect([gated?.name, bare?.name]).toEqual(["with the gate", "without the gate"]);
    expect([gated?.model?.wedged, bare?.model?.wedged]).toEqual([false, true]);
    expect([gated?.cut_short, bare?.cut_short]).toEqual([null, "the model's GPU wedged"]);
    expect(bare?.phases.map(({ sent }) => sent > 0)).toEqual([true, false, false, false, false, false, false]);
    expect(broken(report)).toEqual([]);
  });

  test("a promise that cannot be kept is seen: 90% reserved for one whose GPU does not give it", async () => {
    const text = `
description: A model that is slower than what was promised of it.
model: strix-halo-235b
gate:
  deployments:
    slow:
      max_concurrent: 5
      queue: { max_length: 20, max_wait: 30s }
      capacity: { requests_per_minute: 1000 }
      reservations: { vip: 90% }
consumers: { vip: {} }
phases: [{ name: flood, duration: 2m, load: { vip: 900/m } }]
assert: { success: at least 90% }
`;
    const result = parseScenario({ file: "slow.yaml", text, env: {} });
    if (result.kind !== "valid") throw new Error(JSON.stringify(result.problems));
    expect(broken(await run(result.scenario, 1))).toEqual([
      expect.stringMatching(/^all {2}success at least 90%: \d+(\.\d+)?%$/),
    ]);
  });
});
