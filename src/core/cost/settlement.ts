import type { Tokens } from "../units.ts";

/** What a request is charged before it is answered: its input, and the output that is expected of it. */
export interface Estimate {
  readonly input: Tokens;
  readonly output: Tokens;
}

/**
 * What an answer said about its own tokens.
 * `reported`: the backend's final word; `input` is undefined where it speaks of the output only.
 * `counted`: no final word. `input` is known where the backend has named it early; `outputAtLeast` is what was seen.
 * `nothing`: nobody can tell.
 */
export type UsageResult =
  | { readonly kind: "reported"; readonly input: Tokens | undefined; readonly output: Tokens }
  | { readonly kind: "counted"; readonly input: Tokens | undefined; readonly outputAtLeast: Tokens }
  | { readonly kind: "nothing" };

/**
 * How a request that was admitted came to its end, as far as its cost goes.
 * `complete`: the answer reached its end, with a status below 400.
 * `cut`: the backend had begun to answer, and the client left, the stream broke, or the gate broke it off.
 * `abandoned`: the client left after the request was sent, and nobody saw what the backend generated then: before it had
 * begun to answer, or because the rest of the answer was read and thrown away.
 * `failed`: an error status, or no answer at all.
 * `unsent`: it never reached a backend.
 */
export type Ended = "complete" | "cut" | "abandoned" | "failed" | "unsent";

/** What a request is charged in the end, and on whose word. */
export interface Settlement {
  readonly input: Tokens;
  readonly output: Tokens;
  readonly source: "reported" | "counted" | "estimated" | "refunded";
}

/**
 * How many tokens a backend may have generated that had not been seen when the answer was cut: on the wire, in the
 * step it was at, and until it noticed.
 */
export const UNSEEN_TOKENS: Tokens = 16;

const REFUNDED: Settlement = { input: 0, output: 0, source: "refunded" };

/**
 * The truth rules (design of admission, section 1.9).
 *
 * 1. What the backend reports is charged, whether more or less than the estimate, and however the request ended.
 * 2. A request that produced nothing, by no doing of its client, is refunded.
 * 3. Where the truth is unknown, nothing is refunded: the charge is the estimate, or what was counted if that is more.
 * 4. An answer that was cut pays for its input in full, and for the output that was seen plus `UNSEEN_TOKENS`, though
 *    for those no more than `most`, the bound that the request set on its output. What was expected of it is no bound: an
 *    answer that has outgrown it was being generated all the same.
 *
 * A cut answer of which no output could be counted is one of rule 3: it may have been generated whole.
 */
export function settlement(estimate: Estimate, result: UsageResult, ended: Ended, most: Tokens = Infinity): Settlement {
  if (result.kind === "reported") {
    return { input: result.input ?? estimate.input, output: result.output, source: "reported" };
  }
  if (ended === "unsent") return REFUNDED;
  if (ended === "failed" && (result.kind === "nothing" || result.outputAtLeast === 0)) return REFUNDED;
  if (result.kind === "nothing") return { ...estimate, source: "estimated" };
  const { input = estimate.input, outputAtLeast } = result;
  const isCut = ended === "cut" || ended === "failed";
  const expected = isCut ? Math.min(most, outputAtLeast + UNSEEN_TOKENS) : estimate.output;
  const output = Math.max(outputAtLeast, expected);
  return { input, output, source: isCut || output === outputAtLeast ? "counted" : "estimated" };
}
