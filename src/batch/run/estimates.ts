import { type Measure, measureJson } from "../../core/cost/measure.ts";
import { Estimator } from "../../core/cost/learned.ts";
import type { Tokens } from "../../core/units.ts";
import type { BatchRow } from "../input/row.ts";
import type { Json } from "../../core/json.ts";
import type { Usage } from "./result.ts";
import type { RowEstimate } from "./types.ts";

const DEEPEST = 64;
const NOTHING: Measure = { textChars: 0, media: 0 };
/** All rows are one consumer's. */
const US = "";

/** Where the APIs have their bound on the output. */
const BOUNDS = ["max_completion_tokens", "max_tokens", "max_output_tokens"] as const;

/** Says what rows will use, and learns from what they did. */
export class Estimates {
  readonly #estimator = new Estimator();

  of({ body }: BatchRow): RowEstimate {
    const bound = maxOutput(body);
    const { input, output } = this.#estimator.estimate(US, modelOf(body), measure(body), bound);
    return { input, output, cost: { requests: 1, tokens: input + (bound ?? output) } };
  }

  learn({ body }: BatchRow, usage: Usage): void {
    this.#estimator.learn(US, modelOf(body), measure(body), usage);
  }
}

/** The bound that a request sets on its output, all choices together. */
function maxOutput(body: Json): Tokens | undefined {
  for (const name of BOUNDS) {
    const bound = body[name];
    const choices = body["n"];
    if (typeof bound === "number" && bound > 0)
      return Math.ceil(bound) * (typeof choices === "number" && choices > 1 ? choices : 1);
  }
  return undefined;
}

function modelOf({ model }: Json): string {
  return typeof model === "string" ? model : "";
}

/** The text of the prompt; what a model never sees, like names of parameters, is not in it. */
function measure(body: Json): Measure {
  const { messages, prompt, input, system, instructions, tools } = body;
  return measureJson([messages, prompt, input, system, instructions, tools], DEEPEST) ?? NOTHING;
}
