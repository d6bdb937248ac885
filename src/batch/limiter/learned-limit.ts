import type { Ms } from "../../core/units.ts";
import type { Dimension } from "../signals/types.ts";
import type { Limit } from "../types.ts";

/** The window of limits whose window nobody tells: what providers mean by RPM and TPM. */
const USUAL_WINDOW: Ms = 60_000;

const LETTERS: readonly (readonly [Ms, string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "m"],
  [1_000, "s"],
];

/** The limit that an answer tells of; `undefined` where it does not tell how much, or tells of 0. */
export function learnedLimit({ unit, limit: amount, windowMs = USUAL_WINDOW }: Dimension): Limit | undefined {
  if (amount === undefined || amount < 1 || windowMs < 1) return undefined;
  const [ms, letter] = LETTERS.find(([ms]) => windowMs % ms === 0) ?? [1, "ms"];
  const count = windowMs / ms;
  const name = `${amount}${unit === "tokens" ? "tok" : ""}/${count === 1 ? "" : count}${letter}`;
  return { name, unit, amount, windowMs, burst: undefined };
}
