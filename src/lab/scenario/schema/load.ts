import { z } from "zod";
import { choice, count, duration, text } from "../../../config/tools.ts";
import type { Ms } from "../../../core/units.ts";
import { behaviourKeys, overridesOf, type Overrides } from "./behaviour.ts";
import { decimal, rate, TIME } from "./values.ts";

/** When requests go out, as far as the file says it. What goes with what is a matter of the checks. */
export interface DraftLoad {
  readonly perMinute: number | undefined;
  readonly arrivals: "poisson" | "constant" | "gamma";
  readonly burstiness: number | undefined;
  readonly workers: readonly number[] | undefined;
  readonly requests: number | undefined;
  readonly pauseMs: Ms;
  readonly burst: readonly number[] | undefined;
  /** Path of a trace. */
  readonly replay: string | undefined;
  readonly fromMs: Ms;
  readonly overrides: Overrides;
}

const MOST_AT_ONCE = 10_000;
const FEW: { readonly min: number; readonly max: number } = { min: 1, max: MOST_AT_ONCE };

function steps(meaning: string): z.ZodType<readonly number[] | undefined> {
  return z
    .union([count(FEW).transform((value) => [value]), z.array(count(FEW)).min(1)])
    .optional()
    .describe(meaning)
    .meta({ title: "number from 1 to 10k, or a list" });
}

const mapping: z.ZodType<DraftLoad> = z
  .strictObject({
    rate: rate()
      .optional()
      .describe("Requests per time, whatever becomes of those before. A load that is only a rate is short for it."),
    arrivals: choice("poisson", "constant", "gamma")
      .optional()
      .describe("How requests of a `rate` follow each other. Left out, they come by chance (`poisson`)."),
    burstiness: decimal({ min: 0.01, max: 100 })
      .optional()
      .describe("The shape of `gamma`: 1 is `poisson`, below 1 they come in clusters, above more evenly."),
    workers: steps(
      "How many clients ask, each again when its answer is over. The numbers of a list run one after the other.",
    ),
    requests: count({ min: 1, max: 1e7 })
      .optional()
      .describe(
        "Requests of all workers together, for each number in `workers`. Left out, they ask until the phase ends.",
      ),
    pause: duration({ min: 0, max: TIME.max })
      .optional()
      .describe("How long a worker rests between two requests. Left out, not at all."),
    burst: steps("So many requests at once. Each burst of a list begins when the one before is over."),
    replay: text("the path of a trace")
      .optional()
      .describe(
        "A recorded trace, by its path from the scenario file: one JSON object a line, with `timestamp` in ms from its start, `input_length` and `output_length` in tokens (Mooncake's format; further keys are left alone).",
      ),
    from: duration({ min: 0, max: TIME.max })
      .optional()
      .describe("When it begins, from the start of the phase. Left out, with it."),
    ...behaviourKeys,
  })
  .transform((from) => ({
    perMinute: from.rate,
    arrivals: from.arrivals ?? "poisson",
    burstiness: from.burstiness,
    workers: from.workers,
    requests: from.requests,
    pauseMs: from.pause ?? 0,
    burst: from.burst,
    replay: from.replay,
    fromMs: from.from ?? 0,
    overrides: overridesOf(from),
  }));

const shorthand: z.ZodType<DraftLoad> = rate().transform((perMinute) => ({
  perMinute,
  arrivals: "poisson",
  burstiness: undefined,
  workers: undefined,
  requests: undefined,
  pauseMs: 0,
  burst: undefined,
  replay: undefined,
  fromMs: 0,
  overrides: {},
}));

/** Each of the `load`: a rate, or a mapping. */
export const load: z.ZodType<DraftLoad> = z
  .union([shorthand, mapping])
  .describe("What one consumer does in the phase. The keys of `defaults` may stand here too.")
  .meta({ title: "rate like `150/m`, or a mapping" });
