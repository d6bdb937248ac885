import { describe, expect, test } from "vitest";

import { createRandom } from "../../core/random.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { Engine } from "./engine.ts";
import { Telemetry } from "./metrics/telemetry.ts";
import { PRESET_NAMES, PRESETS, type PresetName } from "./presets.ts";
import { drawFate } from "./text.ts";

function start(name: PresetName) {
  const clock = new VirtualClock();
  const telemetry = new Telemetry();
  const engine = new Engine({ config: PRESETS[name].engine, clock, random: createRandom(7), observer: telemetry });
  return { clock, telemetry, engine };
}

interface Measured {
  readonly firstTokenMs: Ms;
  readonly gapMs: Ms;
}

function measureAlone(name: PresetName, promptTokens: Tokens, outputTokens: Tokens): Measured {
  const { clock, engine } = start(name);
  clock.advance(60_000);
  const startedAt = clock.now();
  const at: Ms[] = [];
  engine.submit({ promptTokens, maxTokens: outputTokens }, { token: (now) => at.push(now - startedAt), end: () => {} });
  clock.runAll();
  const first = at[0] ?? 0;
  return { firstTokenMs: first, gapMs: ((at.at(-1) ?? 0) - first) / (at.length - 1) };
}

describe("nim-gpt-oss-20b", () => {
  test("alone gives its first token after 35 ms and the next ones every 18 ms", () => {
    const { firstTokenMs, gapMs } = measureAlone("nim-gpt-oss-20b", 20, 200);
    expect(Math.abs(firstTokenMs - 35)).toBeLessThan(1);
    expect(Math.abs(gapMs - 18)).toBeLessThan(1);
  });

  test("at 1,000 requests a minute keeps both times with some 20 running and the KV cache below 3 %", () => {
    const { clock, engine, telemetry } = start("nim-gpt-oss-20b");
    const { output } = PRESETS["nim-gpt-oss-20b"];
    const random = createRandom(3);
    let arrivals = 0;
    const arrive = (): void => {
      arrivals += 1;
      const { naturalTokens } = drawFate(1, `prompt ${arrivals}`, { output, maxTokens: undefined });
      engine.submit({ promptTokens: 116, maxTokens: naturalTokens }, { end: () => {} });
      clock.after(-Math.log(1 - random()) * 60, arrive);
    };
    arrive();
    const running: number[] = [];
    for (let second = 0; second < 120; second++) {
      clock.advance(1_000);
      running.push(engine.state.running + engine.state.waiting);
      expect(engine.state.kvUsedTokens / engine.config.kvTokens).toBeLessThan(0.03);
    }
    const mean = (histogram: { sum: number; count: number }): number => (1_000 * histogram.sum) / histogram.count;
    expect(Math.abs(mean(telemetry.firstTokenSeconds) - 35)).toBeLessThan(2);
    expect(Math.abs(mean(telemetry.interTokenSeconds) - 18)).toBeLessThan(1);
    expect(Math.abs(mean(telemetry.wholeSeconds) - 1_250)).toBeLessThan(50);
    const meanRunning = running.reduce((sum, count) => sum + count, 0) / running.length;
    expect(meanRunning).toBeGreaterThan(18);
    expect(meanRunning).toBeLessThan(22);
    expect(telemetry.gpuLoad.read(clock.now(), engine.state.stepping)).toBeGreaterThan(0.9);
  });
});

describe("strix-halo-235b", () => {
  test("alone generates 9.5 tokens per second", () => {
    const { gapMs } = measureAlone("strix-halo-235b", 50, 100);
    expect(Math.abs(1_000 / gapMs / 9.5 - 1)).toBeLessThan(0.01);
  });

  test.each([
    [500, 312],
    [1_000, 517],
    [2_000, 460],
  ])("processes a prompt of %i tokens at %i tokens per second", (promptTokens, tokensPerSecond) => {
    const { firstTokenMs } = measureAlone("strix-halo-235b", promptTokens, 2);
    expect(Math.abs((1_000 * promptTokens) / firstTokenMs / tokensPerSecond - 1)).toBeLessThan(0.05);
  });

  test("serves 9 requests at once and wedges at the 10th", () => {
    const { clock, engine, telemetry } = start("strix-halo-235b");
    const submit = (): void => void engine.submit({ promptTokens: 100, maxTokens: 20 }, { end: () => {} });
    for (let count = 0; count < 9; count++) submit();
    clock.runAll();
    expect(telemetry.endings.length).toBe(9);
    for (let count = 0; count < 10; count++) submit();
    clock.runAll();
    expect(engine.state).toMatchObject({ wedged: true, waiting: 10 });
    expect(telemetry.endings.length).toBe(9);
  });
});

describe("strix-halo-235b-batch-256", () => {
  test("alone generates 9 tokens per second", () => {
    const { gapMs } = measureAlone("strix-halo-235b-batch-256", 50, 100);
    expect(Math.abs(1_000 / gapMs / 9 - 1)).toBeLessThan(0.01);
  });

  test.each([
    [500, 291],
    [1_000, 486],
    [2_000, 405],
  ])("processes a prompt of %i tokens at %i tokens per second", (promptTokens, tokensPerSecond) => {
    const { firstTokenMs } = measureAlone("strix-halo-235b-batch-256", promptTokens, 2);
    expect(Math.abs((1_000 * promptTokens) / firstTokenMs / tokensPerSecond - 1)).toBeLessThan(0.02);
  });

  test("serves 16 requests at once, and 16 more after them", () => {
    const { clock, engine, telemetry } = start("strix-halo-235b-batch-256");
    const submit = (): void => void engine.submit({ promptTokens: 100, maxTokens: 20 }, { end: () => {} });
    for (let count = 0; count < 32; count++) submit();
    clock.runAll();
    expect(engine.state.wedged).toBe(false);
    expect(telemetry.endings.length).toBe(32);
  });
});

test("instant takes no time", () => {
  const { clock, engine } = start("instant");
  const endings: string[] = [];
  engine.submit({ promptTokens: 5_000, maxTokens: 1_000 }, { end: (ending, at) => endings.push(`${ending} ${at}`) });
  expect(endings).toEqual(["length 0"]);
  expect(clock.pending).toBe(0);
});

test.each(PRESET_NAMES)("%s is filed under its own name", (name) => {
  expect(PRESETS[name].name).toBe(name);
});
