/* What is made of requests: on virtual time, against servers that follow a script. */
import { describe, expect, test } from "vitest";

import type { Config } from "../../src/config/types.ts";
import { Recorder } from "../../src/lab/measure/recorder.ts";
import { sideOf } from "../../src/lab/measure/side.ts";
import { startLoad } from "../../src/lab/load/run.ts";
import type { AnswerListener, ModelReading, Question } from "../../src/lab/load/types.ts";
import type { Side } from "../../src/lab/report/types.ts";
import { configFor, parseScenario } from "../../src/lab/scenario/index.ts";
import type { Scenario } from "../../src/lab/scenario/types.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { loadOf, OK_HEAD, phaseOf, refused, scenarioOf, ScriptedDoor, streamed } from "./kit.ts";

const SECOND = 1_000;

type Script = (clock: VirtualClock) => (question: Question, listener: AnswerListener, number: number) => void;

/** What the report says of a run against a script. */
function seen(scenario: Scenario, script: Script, readings: readonly ModelReading[] = []): Side {
  const clock = new VirtualClock();
  const recorder = new Recorder(scenario);
  const door = new ScriptedDoor(clock, script(clock));
  let durationMs = 0;
  startLoad(
    { scenario, door, clock, seed: 1, observer: recorder, configure: () => {} },
    () => (durationMs = clock.now()),
  );
  clock.runAll();
  return sideOf({
    name: "test",
    scenario,
    gated: true,
    recorder,
    readings,
    durationMs,
    cutShort: undefined,
    sendLagMs: 0,
  });
}

const constant = { kind: "constant", perMinute: 60 } as const;
const once = { kind: "workers", steps: [1], requests: 1, pauseMs: 0 } as const;

describe("an answer", () => {
  test("has its first token when its first piece comes, though it is its only one", () => {
    const scenario = scenarioOf([phaseOf([loadOf(once)])], {
      slo: { ttftMs: 200, tpotMs: undefined, e2eMs: undefined },
    });
    const { total } = seen(scenario, (clock) => (_, listener) => {
      clock.after(150, () => listener.began(OK_HEAD));
      clock.after(150, () => listener.content(1));
      clock.after(150, () => listener.ended({ kind: "complete", inputTokens: 10, outputTokens: 40 }));
    });
    expect([total.ttft_ms.mean, total.goodput]).toEqual([150, 1]);
  });

  test("that is not streamed has none, and an objective on it is none for it", () => {
    const slo = { ttftMs: 200, tpotMs: 1, e2eMs: 5_000 };
    const scenario = scenarioOf([phaseOf([loadOf(once, { stream: false })])], { slo });
    const { total } = seen(scenario, (clock) => streamed(clock, { firstMs: 900, tokens: 1 }));
    expect([total.ttft_ms.count, total.e2e_ms.mean, total.goodput]).toEqual([0, 900, 1]);
  });

  test("of five tokens over 40 ms takes 10 ms for each after the first", () => {
    const { total } = seen(scenarioOf([phaseOf([loadOf(once)])]), (clock) => streamed(clock));
    expect([total.tpot_ms.mean, total.itl_ms.mean, total.generation_tokens_per_s]).toEqual([10, 10, 100]);
  });

  test("is processed in the time that it did not wait in the gate", () => {
    const { total } = seen(scenarioOf([phaseOf([loadOf(once)])]), (clock) => (question, listener) => {
      clock.after(1_000, () => listener.began({ ...OK_HEAD, queueMs: 900 }));
      streamed(clock, { firstMs: 1_000 })(question, { ...listener, began: () => {} });
    });
    expect(total.prompt_tokens_per_s).toBe(1_000);
  });
});

describe("clients", () => {
  test("that come back until they are served are satisfied, though most of what they sent was refused", () => {
    const scenario = scenarioOf([phaseOf([loadOf(once, { retry: "polite" })])]);
    const { total } = seen(
      scenario,
      (clock) => (question, listener, number) =>
        (number < 4 ? refused(clock, SECOND) : streamed(clock))(question, listener),
    );
    expect(total).toMatchObject({ intended: 1, sent: 4, served: 1, success: 0.25, satisfied: 1 });
  });

  test("that lose their patience between two attempts are not", () => {
    const scenario = scenarioOf([phaseOf([loadOf(once, { retry: "polite", patienceMs: 1_500 })])]);
    const { total } = seen(scenario, (clock) => refused(clock, SECOND));
    expect(total).toMatchObject({ intended: 1, sent: 2, refused: 2, satisfied: 0 });
  });

  test("are told by what their requests failed, and how often", () => {
    const { total } = seen(scenarioOf([phaseOf([loadOf(constant)], 5 * SECOND)]), (clock) => (_, listener, number) => {
      if (number > 3) return void clock.after(1, () => listener.ended({ kind: "failed", reason: "ECONNREFUSED" }));
      clock.after(1, () => listener.began({ ...OK_HEAD, status: 404 }));
      clock.after(1, () => listener.ended({ kind: "complete", inputTokens: undefined, outputTokens: undefined }));
    });
    expect(total).toMatchObject({ failed: 5, failed_by: { "HTTP 404": 3, ECONNREFUSED: 2 } });
  });
});

/** Two consumers, of which one has 60% of 600 a minute. */
function shared(phases: string): Scenario {
  const text = `
description: Two consumers.
model: instant
window: 10s
gate:
  deployments:
    m: { max_concurrent: 100, capacity: { requests_per_minute: 600 }, reservations: { a: 60% } }
consumers: { a: {}, b: {} }
phases: ${phases}
`;
  const result = parseScenario({ file: "x.yaml", text, env: {} });
  if (result.kind !== "valid") throw new Error(JSON.stringify(result.problems));
  return result.scenario;
}

/** Serves so many of every consumer's requests per second, and refuses the others for this reason. */
function serving(perSecond: Readonly<Record<string, number>>, outcome = "capacity_reserved"): Script {
  return (clock) => {
    const counts = new Map<string, number>();
    return (question, listener) => {
      const second = `${question.consumer} ${Math.floor(clock.now() / SECOND)}`;
      const count = (counts.get(second) ?? 0) + 1;
      counts.set(second, count);
      if (count <= (perSecond[question.consumer] ?? 0))
        return streamed(clock, { firstMs: 1, tokens: 1 })(question, listener);
      clock.after(1, () => {
        listener.began({ ...OK_HEAD, status: 429, outcome, retryAfterMs: 100 });
        listener.ended({ kind: "complete", inputTokens: undefined, outputTokens: undefined });
      });
    };
  };
}

const FLOOD =
  "[{ name: flood, duration: 30s, load: { a: { rate: 20/s, arrivals: constant }, b: { rate: 20/s, arrivals: constant } } }]";

describe("a floor", () => {
  test("is the worst window of any share: 6 a second of a's 6 and 3 of the pool's 4 are 75%", () => {
    const { total, consumers } = seen(shared(FLOOD), serving({ a: 6, b: 3 }));
    expect([total.floor, total.utilization]).toEqual([0.75, 0.9]);
    expect(consumers.map(({ floor, floor_per_minute: perMinute }) => [floor, perMinute])).toEqual([
      [1, 360],
      [0.75, 240],
    ]);
  });

  test("is no business of whoever is held back by a limit of its own", () => {
    const { total, consumers, timeline } = seen(shared(FLOOD), serving({ a: 1, b: 1 }, "rate_limited"));
    expect([total.floor, total.utilization]).toEqual([1, 1]);
    expect(consumers[0]).toMatchObject({ floor: 1, refused_by: { rate_limited: 570 } });
    expect(timeline.consumers[0]?.entitled?.[5]).toBe(1);
  });

  test("counts from when somebody asks: who joins in the middle of a window is guaranteed nothing for what was before", () => {
    const phases = "[{ name: flood, duration: 30s, load: { a: { rate: 20/s, arrivals: constant, from: 15s } } }]";
    expect(seen(shared(phases), serving({ a: 6 })).total.floor).toBe(1);
    expect(seen(shared(phases), serving({ a: 5 })).total.floor).toBeCloseTo(5 / 6, 2);
  });

  test("is not missed by the gate where it was the model that failed", () => {
    const { total } = seen(shared(FLOOD), (clock) => (_, listener) => {
      clock.after(1, () => listener.began({ ...OK_HEAD, status: 500 }));
      clock.after(1, () => listener.ended({ kind: "complete", inputTokens: undefined, outputTokens: undefined }));
    });
    expect(total.floor).toBeGreaterThanOrEqual(1);
    expect(total.success).toBe(0);
  });
});

test("the fullest window goes by the capacity of its own phase", () => {
  const edit = "gate: { deployments: { m: { capacity: { requests_per_minute: 300 } } } }";
  const load = "load: { a: { rate: 20/s, arrivals: constant } }";
  const scenario = shared(`[{ name: whole, duration: 30s, ${load} }, { name: half, duration: 30s, ${load}, ${edit} }]`);
  const { total, phases } = seen(scenario, (clock) => {
    const [full, half] = [serving({ a: 10 })(clock), serving({ a: 5 })(clock)];
    return (...args) => (clock.now() < 30 * SECOND ? full : half)(...args);
  });
  expect(phases.map(({ fullest }) => fullest)).toEqual([1, 1]);
  expect(total.fullest).toBe(1);
});

test("the most at the model in a phase is that of the phase, not of those before", () => {
  const reading = (at: number, peak: number): ModelReading => ({
    at,
    peak,
    running: 0,
    waiting: 0,
    gpu: 0,
    kv: 0,
    promptTokens: 0,
    generatedTokens: 0,
    ttft: { sumMs: 0, count: 0 },
    itl: { sumMs: 0, count: 0 },
    wedged: false,
  });
  const phases = [
    phaseOf([loadOf(constant)], 10 * SECOND, "first"),
    phaseOf([loadOf(constant)], 10 * SECOND, "second"),
  ];
  // The reading shortly after the second phase has begun tells of the first.
  const readings = [reading(0, 0), reading(5_000, 20), reading(10_005, 7), reading(15_000, 2), reading(20_000, 1)];
  const side = seen(scenarioOf(phases), (clock) => streamed(clock), readings);
  expect(side.phases.map(({ model }) => model?.max_concurrent)).toEqual([20, 2]);
  expect(side.model?.max_concurrent).toBe(20);
});

test("a scenario's gate can be had with other backends", () => {
  const { gate } = shared(FLOOD);
  const config: Config | undefined = gate && configFor(gate, ["http://127.0.0.1:81", "http://127.0.0.1:82"]);
  expect(config?.deployments[0]?.backends.map(({ url }) => url)).toEqual([
    "http://127.0.0.1:81/",
    "http://127.0.0.1:82/",
  ]);
});
