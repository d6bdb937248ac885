/* Scenarios over real sockets: the generator, the gate and the simulated model in one process. */
import { describe, expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../src/engine/clock.ts";
import { createGateway, type Gateway } from "../../src/gateway/index.ts";
import { type LiveSide, type LiveSideOptions, runLiveSide } from "../../src/lab/live/run-live.ts";
import { type LiveSite, targetSite } from "../../src/lab/live/site.ts";
import type { Visit } from "../../src/lab/load/types.ts";
import { doubts } from "../../src/lab/measure/lag.ts";
import { createModelServer, type ModelServer } from "../../src/lab/model/server.ts";
import { speedUp } from "../../src/lab/model/speed.ts";
import { configFor, parseScenario } from "../../src/lab/scenario/index.ts";
import type { Scenario } from "../../src/lab/scenario/types.ts";
import { builtIn } from "./kit.ts";

interface Stand {
  readonly model: ModelServer;
  readonly gateway: Gateway | undefined;
  readonly site: LiveSite;
}

/** A model, and the scenario's gate in front of it where it is asked for. */
async function stand(scenario: Scenario, speed: number, gated: boolean): Promise<Stand> {
  const [preset = "instant"] = scenario.models;
  const model = createModelServer({ preset, speed, seed: 1 });
  const modelUrl = `http://127.0.0.1:${await model.listen()}`;
  onTestFinished(() => model.close());
  const metrics = { url: modelUrl, isSimulated: true };
  const rest = { metrics, timeScale: 1, stop: async () => {} };
  if (!gated || scenario.gate === undefined) {
    return { model, gateway: undefined, site: { ...rest, url: modelUrl, configure: async () => {} } };
  }
  const clock = speedUp(systemClock, speed);
  const gateway = createGateway(configFor(scenario.gate, [modelUrl]), { clock, probeIntervalMs: 0 });
  const { port } = await gateway.listen(0, "127.0.0.1");
  onTestFinished(() => gateway.close());
  const configure: LiveSite["configure"] = async (section) => gateway.reconfigure(configFor(section, [modelUrl]));
  return { model, gateway, site: { ...rest, url: `http://127.0.0.1:${port}`, configure } };
}

async function play(scenario: Scenario, site: LiveSite, options: Partial<LiveSideOptions> = {}): Promise<LiveSide> {
  return runLiveSide({
    name: "test",
    scenario,
    site,
    gated: true,
    seed: 1,
    speed: 1,
    clock: systemClock,
    firstNumber: 0,
    onVisit: () => {},
    onStart: () => {},
    signal: new AbortController().signal,
    ...options,
  });
}

function written(text: string): Scenario {
  const result = parseScenario({ file: "test.yaml", text, env: {} });
  if (result.kind !== "valid") throw new Error(JSON.stringify(result.problems));
  return result.scenario;
}

const FLOOD = written(`
description: A flood of an instant model.
model: instant
gate:
  deployments:
    m:
      max_concurrent: 4
      capacity: { requests_per_minute: 600, burst: 1s, meter: 0s }
      reservations: { a: 50% }
consumers: { a: {}, b: {} }
window: 1s
phases: [{ name: flood, duration: 6s, load: { a: 3000/m, b: 3000/m } }]
assert: { concurrent: at most 4, without_retry_after: 0 }
`);

describe("over real sockets", () => {
  test("the fragile GPU passes its seven stress tests behind the gate, and nothing is left open", async () => {
    const scenario = await builtIn("fragile-gpu");
    const { model, gateway, site } = await stand(scenario, 500, true);
    const visits: Visit[] = [];
    const { side } = await play(scenario, site, { speed: 500, onVisit: (visit) => visits.push(visit) });
    expect(side.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(side.phases.map(({ served }) => served)).toEqual([60, 85, 5, 5, 4, expect.any(Number), 21]);
    expect(visits.length).toBe(side.total.sent);
    expect(model.stats().wedged).toBe(false);
    await gateway?.drain(5_000);
    expect(gateway?.stats()).toMatchObject({ open: 0, in_flight: 0, waiting: 0 });
    expect(model.stats().concurrent).toBe(0);
  });

  test("without the gate it wedges, and the run ends there", async () => {
    const scenario = await builtIn("fragile-gpu");
    const { model, site } = await stand(scenario, 500, false);
    const { side } = await play(scenario, site, { speed: 500, gated: false });
    expect(side.cut_short).toBe("the model's GPU wedged");
    expect(side.model).toMatchObject({ wedged: true, max_concurrent: 10 });
    expect(model.stats().wedged).toBe(true);
  });

  test("clients, gate and model count alike, and every refusal says when to come back", async () => {
    const { model, gateway, site } = await stand(FLOOD, 1, true);
    const { side } = await play(FLOOD, site);
    expect(side.checks.filter(({ ok }) => !ok)).toEqual([]);
    const { served, refused, sent } = side.total;
    expect(served + refused).toBe(sent);
    expect(model.stats().requests.completed).toBe(served);
    expect(gateway?.stats().deployments["m"]?.admitted).toBe(served);
    expect(side.total.refused_by).toEqual({ capacity_reserved: refused });
  });

  test("a run that is interrupted says so, and hangs up", async () => {
    const scenario = await builtIn("fragile-gpu");
    const { model, site } = await stand(scenario, 1, true);
    const interruption = new AbortController();
    const { side } = await play(scenario, site, {
      signal: interruption.signal,
      onStart: () => interruption.abort("interrupted"),
    });
    expect(side.cut_short).toBe("interrupted");
    expect(side.total).toMatchObject({ sent: 1, served: 0, failed: 0, aborted: 1 });
    expect(model.stats().requests.completed).toBe(0);
  });

  test("a server that is not there is told at once", async () => {
    const site = targetSite("http://127.0.0.1:9", { metrics: undefined, speed: 1 });
    await expect(play(FLOOD, site)).rejects.toThrow(/127\.0\.0\.1:9/);
  });
});

describe("a generator", () => {
  // The negative control: whoever does not get the processor measures itself.
  test("that stalls is reported as invalid, and its latency counts from when requests were due", async () => {
    const { site } = await stand(FLOOD, 1, true);
    const { side, sendLag, loopLag } = await play(FLOOD, site, {
      onStart: () => void systemClock.after(2_000, () => stall(1_500)),
    });
    expect(sendLag.p99).toBeGreaterThan(500);
    expect(doubts(sendLag, loopLag)).toHaveLength(2);
    expect(side.total.e2e_ms.max).toBeGreaterThan(500);
  });
});

function stall(ms: number): void {
  const end = systemClock.now() + ms;
  while (systemClock.now() < end);
}
