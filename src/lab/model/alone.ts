import type { Tokens } from "../../core/units.ts";
import type { EngineConfig } from "./engine-types.ts";
import { promptWorkMs } from "./prompt-curve.ts";
import type { AloneTimes } from "./surfaces/types.ts";

/** How long a request computes when nothing else runs, without jitter, intake and wake-up. */
export function aloneTimes(config: EngineConfig, promptTokens: Tokens, outputTokens: Tokens): AloneTimes {
  const steps = Math.ceil(promptTokens / config.stepTokens);
  return {
    promptMs: round(steps * config.stepBaseMs + promptWorkMs(config.promptCurve, 0, promptTokens)),
    outputMs: round(outputTokens * (config.stepBaseMs + config.perSequenceMs)),
  };
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
