import { describe, expect, test } from "vitest";
import { COMPLETE, loadWith, parse, scenarioOf, scenarioWith } from "./kit.ts";

describe("a scenario", () => {
  const scenario = scenarioOf(parse(COMPLETE));
  const [steady, bursts] = scenario.phases;

  test("has what stands at its top", () => {
    expect(scenario).toMatchObject({
      name: "test",
      description: "A batch beside two teams.",
      models: ["nim-gpt-oss-20b", "instant"],
      speed: 2,
      windowMs: 30_000,
      slo: { ttftMs: 500, tpotMs: 50, e2eMs: 10_000 },
    });
  });

  test("has each of those who are alike, with a key of their own", () => {
    expect(scenario.consumers).toEqual([
      { name: "fraud", key: "hg_fraud" },
      { name: "support", key: "lab-support" },
      { name: "user-1", key: "lab-user-1" },
      { name: "user-2", key: "lab-user-2" },
      { name: "user-3", key: "lab-user-3" },
      { name: "batch", key: "lab-batch" },
    ]);
    expect(steady?.loads.map(({ consumer }) => consumer)).toEqual([
      "fraud",
      "support",
      "user-1",
      "user-2",
      "user-3",
      "batch",
    ]);
  });

  test("has rates per minute, whatever their unit", () => {
    expect(steady?.loads.map(({ arrivals, fromMs }) => [arrivals, fromMs]).slice(0, 3)).toEqual([
      [{ kind: "poisson", perMinute: 150 }, 0],
      [{ kind: "gamma", perMinute: 600, burstiness: 0.5 }, 0],
      [{ kind: "constant", perMinute: 6 }, 60_000],
    ]);
    const half = scenarioOf(parse(loadWith("a: 30/h", "b: 1/m"))).phases[0]?.loads[0]?.arrivals;
    expect(half).toEqual({ kind: "poisson", perMinute: 0.5 });
  });

  test("has closed loops and bursts", () => {
    expect(steady?.loads[5]?.arrivals).toEqual({ kind: "workers", steps: [8], requests: undefined, pauseMs: 1_000 });
    expect(bursts?.loads.map(({ arrivals }) => arrivals)).toEqual([
      { kind: "burst", sizes: [5, 10, 20] },
      { kind: "workers", steps: [1, 2, 4], requests: 10, pauseMs: 0 },
    ]);
    expect(bursts?.durationMs).toBeUndefined();
  });

  test("takes each part of a behaviour from the load, the consumer or the defaults, the nearest first", () => {
    expect(steady?.loads[0]?.behaviour).toEqual({
      api: "chat",
      model: undefined,
      prompt: { kind: "turns", values: [116] },
      output: { kind: "turns", values: [50] },
      stream: true,
      patienceMs: Infinity,
      retry: "none",
      abort: undefined,
      connection: "kept",
      body: { temperature: 0 },
    });
    expect(steady?.loads[1]?.behaviour).toMatchObject({
      retry: "sdk",
      patienceMs: 30_000,
      prompt: { kind: "uniform", from: 50, to: 300 },
    });
    expect(steady?.loads[2]?.behaviour.abort).toEqual({ fraction: 0.3, afterMs: { from: 100, to: 2_000 } });
    expect(steady?.loads[5]?.behaviour).toMatchObject({
      prompt: { kind: "lognormal", median: 2_000, spread: 0.5, from: 500, to: 8_000 },
      output: undefined,
      body: { temperature: 0, ignore_eos: true },
    });
    expect(bursts?.loads[1]?.behaviour).toMatchObject({
      prompt: { kind: "turns", values: [100, 500] },
      stream: false,
      api: "completions",
    });
  });

  test("has assertions, one for each condition and each of those who are alike", () => {
    expect(scenario.assertions).toEqual([
      { metric: "floor", consumer: undefined, condition: { kind: "atLeast", value: 0.99 } },
      { metric: "served_per_minute", consumer: undefined, condition: { kind: "above", value: 300 } },
      { metric: "concurrent", consumer: undefined, condition: { kind: "atMost", value: 32 } },
    ]);
    expect(steady?.assertions).toHaveLength(2 + 3 * 2);
    expect(steady?.assertions.slice(1, 4)).toEqual([
      { metric: "ttft_p99", consumer: undefined, condition: { kind: "atMost", value: 500 } },
      { metric: "served", consumer: "user-1", condition: { kind: "atLeast", value: 1 } },
      { metric: "served", consumer: "user-1", condition: { kind: "atMost", value: 417 } },
    ]);
    expect(bursts?.assertions[0]?.condition).toEqual({ kind: "within", fraction: 0.1, phase: "steady" });
  });

  test("has what it left out", () => {
    const least = scenarioOf(
      parse(scenarioWith("phases: [{ name: one, load: { a: { burst: 1 }, b: { burst: 1 } } }]")),
    );
    expect(least).toMatchObject({ speed: 1, windowMs: 60_000, gate: undefined, assertions: [] });
    expect(least.slo).toEqual({ ttftMs: undefined, tpotMs: undefined, e2eMs: undefined });
    expect(least.phases[0]?.loads[0]?.behaviour).toMatchObject({
      prompt: { kind: "turns", values: [100] },
      output: undefined,
      body: {},
    });
  });

  test("takes away with none and forever what a wider section gives", () => {
    const text = loadWith("a: { burst: 1, abort: none, output: none, patience: forever }", "b: 1/m").replace(
      "a: {}",
      "a: { abort: { fraction: 10%, after: 1s }, output: 5, patience: 10s }",
    );
    expect(scenarioOf(parse(text)).phases[0]?.loads[0]?.behaviour).toMatchObject({
      abort: undefined,
      output: undefined,
      patienceMs: Infinity,
    });
  });
});

describe("a trace", () => {
  const text = loadWith("a: { replay: t.jsonl }", "b: 1/m");
  const replay = (trace: string) => parse(text, {}, new Map([["t.jsonl", { kind: "text", text: trace } as const]]));

  test("is read in order of time, whatever else its lines hold", () => {
    const lines = [
      '{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}',
      "",
      '{"timestamp": 0, "input_length": 100, "output_length": 5}',
    ];
    expect(scenarioOf(replay(lines.join("\r\n"))).phases[0]?.loads[0]?.arrivals).toEqual({
      kind: "replay",
      requests: [
        { atMs: 0, inputTokens: 100, outputTokens: 5 },
        { atMs: 27_482, inputTokens: 6_955, outputTokens: 52 },
      ],
    });
  });

  test("has every bad line reported by its number", () => {
    const good = '{"timestamp": 0, "input_length": 100, "output_length": 5}';
    const result = replay(
      [good, "{", good.replace("0", "-1"), good.replace("100", "1.5"), '{"timestamp": 1}', "7"].join("\n"),
    );
    const problems = result.kind === "invalid" ? result.problems : [];
    expect(problems.map(({ file, line, path, rule }) => [file, line, path, rule])).toEqual([
      ["t.jsonl", 2, "", "must be a line of JSON"],
      ["t.jsonl", 3, "timestamp", "must be milliseconds from the start of the trace, 0 or more"],
      ["t.jsonl", 4, "input_length", "must be a whole number of tokens from 1 to 1000000"],
      ["t.jsonl", 5, "input_length", "must be a whole number of tokens from 1 to 1000000"],
      ["t.jsonl", 6, "", "must be a JSON object with timestamp, input_length and output_length"],
    ]);
  });

  test("of nothing is refused, and of very many bad lines the first are shown", () => {
    expect(replay("\n")).toMatchObject({ kind: "invalid", problems: [{ file: "t.jsonl", rule: "has no requests" }] });
    const many = replay("x\n".repeat(200));
    expect(many.kind === "invalid" ? many.problems.map(({ rule }) => rule).slice(49) : []).toEqual([
      "must be a line of JSON",
      "has 150 more lines that are wrong",
    ]);
  });
});
