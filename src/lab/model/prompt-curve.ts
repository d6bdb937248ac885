import type { Ms, Tokens } from "../../core/units.ts";

/** A prompt of `tokens` takes `ms` to process. */
interface PromptPoint {
  readonly tokens: Tokens;
  readonly ms: Ms;
}

/** Points in ascending order, straight lines between them. The first stands at 0 tokens; the last slope goes on. */
export type PromptCurve = readonly [PromptPoint, PromptPoint, ...PromptPoint[]];

/** The time to process the tokens of a prompt from position `from` up to `to`. */
export function promptWorkMs(curve: PromptCurve, from: Tokens, to: Tokens): Ms {
  return timeAt(curve, to) - timeAt(curve, from);
}

function timeAt(curve: PromptCurve, tokens: Tokens): Ms {
  let [low, high] = curve;
  for (let index = 2; index < curve.length && high.tokens < tokens; index++) {
    low = high;
    high = curve[index] ?? high;
  }
  return low.ms + ((tokens - low.tokens) * (high.ms - low.ms)) / (high.tokens - low.tokens);
}
