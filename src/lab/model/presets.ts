import type { EngineConfig } from "./engine-types.ts";
import type { GpuFacts } from "./metrics/gpu.ts";
import type { OutputLength } from "./text.ts";

export type PresetName = "nim-gpt-oss-20b" | "strix-halo-235b" | "strix-halo-235b-batch-256" | "instant";

/** One server to imitate. */
export interface Preset {
  readonly name: string;
  /** What `/v1/models` says, and answers to requests that name no model. */
  readonly modelName: string;
  /** One line for people. */
  readonly summary: string;
  readonly engine: EngineConfig;
  readonly output: OutputLength;
  readonly gpu: GpuFacts;
}

/**
 * gpt-oss-20b on NVIDIA NIM with one data-centre GPU. At 1,000 requests a minute of 116 tokens it runs some 20 at once with
 * both token times as when alone; it ends at about 1,800 a minute. The queue is unbounded: more than that costs time to
 * first token without limit.
 */
const nimGptOss20b: Preset = {
  name: "nim-gpt-oss-20b",
  modelName: "openai/gpt-oss-20b",
  summary: "alone: first token after 35 ms, then one every 18 ms; 40 at once; about 65 tokens per answer",
  engine: {
    stepBaseMs: 17.6,
    perSequenceMs: 0.02,
    promptCurve: [
      { tokens: 0, ms: 0 },
      { tokens: 1_000, ms: 15 },
    ],
    stepJitter: 0.02,
    intakeMs: 6,
    idleWakeMs: 11.1,
    stepTokens: 8_192,
    maxSequences: 40,
    kvTokens: 500_000,
    contextTokens: 131_072,
    wedgeAtConcurrent: Infinity,
  },
  output: { medianTokens: 60, spread: 0.4, minTokens: 8, maxTokens: 512 },
  gpu: { name: "Simulated H100", memoryMib: 81_559, usedMib: 73_400, idleWatts: 115, busyWatts: 640 },
};

/**
 * qwen3-235b-thinking on llama-server with batch size 1024, on an AMD Strix Halo whose GPU scheduler dies of 10 concurrent
 * requests. The curve is fitted so that prompts of 500, 1000 and 2000 tokens run at 312, 517 and 460 tokens per second.
 */
const strixHalo235b: Preset = {
  name: "strix-halo-235b",
  modelName: "qwen3-235b-thinking",
  summary:
    "9.5 tokens per second alone, prompts at 312 to 517 tokens per second; wedges for good at 10 concurrent requests",
  engine: {
    stepBaseMs: 60,
    perSequenceMs: 45.26,
    promptCurve: [
      { tokens: 0, ms: 0 },
      { tokens: 16, ms: 250 },
      { tokens: 500, ms: 1_540 },
      { tokens: 1_000, ms: 1_872 },
      { tokens: 2_000, ms: 4_226 },
    ],
    stepJitter: 0.01,
    intakeMs: 2,
    idleWakeMs: 0,
    stepTokens: 1_024,
    maxSequences: 16,
    kvTokens: 131_072,
    contextTokens: 32_768,
    wedgeAtConcurrent: 10,
  },
  output: { medianTokens: 160, spread: 0.5, minTokens: 16, maxTokens: 2_000 },
  gpu: { name: "Simulated Strix Halo", memoryMib: 98_304, usedMib: 91_000, idleWatts: 12, busyWatts: 120 },
};

/**
 * The same server with batch size 256: somewhat slower, and not known to wedge. A prompt takes a step for each 256 tokens; the
 * curve is fitted so that prompts of 500, 1000 and 2000 tokens run at 291, 486 and 405 tokens per second.
 */
const strixHalo235bBatch256: Preset = {
  ...strixHalo235b,
  name: "strix-halo-235b-batch-256",
  summary: "the same with batch size 256: 9 tokens per second alone, prompts at 291 to 486; does not wedge",
  engine: {
    ...strixHalo235b.engine,
    perSequenceMs: 51.1,
    promptCurve: [
      { tokens: 0, ms: 0 },
      { tokens: 16, ms: 250 },
      { tokens: 500, ms: 1_596 },
      { tokens: 1_000, ms: 1_816 },
      { tokens: 2_000, ms: 4_456 },
    ],
    stepTokens: 256,
    wedgeAtConcurrent: Infinity,
  },
};

/** No time passes: for benchmarks and tests of everything but time. */
const instant: Preset = {
  name: "instant",
  modelName: "instant",
  summary: "answers at once, about 16 tokens",
  engine: {
    stepBaseMs: 0,
    perSequenceMs: 0,
    promptCurve: [
      { tokens: 0, ms: 0 },
      { tokens: 1_000, ms: 0 },
    ],
    stepJitter: 0,
    intakeMs: 0,
    idleWakeMs: 0,
    stepTokens: 1_000_000_000,
    maxSequences: 10_000,
    kvTokens: 1_000_000_000,
    contextTokens: 1_000_000,
    wedgeAtConcurrent: Infinity,
  },
  output: { medianTokens: 16, spread: 0.2, minTokens: 8, maxTokens: 32 },
  gpu: { name: "Simulated GPU", memoryMib: 24_576, usedMib: 20_480, idleWatts: 20, busyWatts: 300 },
};

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  "nim-gpt-oss-20b": nimGptOss20b,
  "strix-halo-235b": strixHalo235b,
  "strix-halo-235b-batch-256": strixHalo235bBatch256,
  instant,
};

export const PRESET_NAMES: readonly PresetName[] = [
  "nim-gpt-oss-20b",
  "strix-halo-235b",
  "strix-halo-235b-batch-256",
  "instant",
];

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(PRESETS, name);
}
