import { z } from "zod";
import { choice, modelName, percent, toggle } from "../../../config/tools.ts";
import type { Abort, Behaviour, Lengths } from "../types.ts";
import { decimal, none, patience, span, tokens } from "./values.ts";

/** Parts of a behaviour that the file gives. `none` takes away what a wider section has given. */
export type Overrides = {
  readonly [K in keyof Omit<Behaviour, "output" | "abort">]?: Behaviour[K] | undefined;
} & {
  readonly output?: Lengths | "none" | undefined;
  readonly abort?: Abort | "none" | undefined;
};

const lengths: z.ZodType<Lengths> = z
  .union([
    tokens().transform((value): Lengths => ({ kind: "turns", values: [value] })),
    z
      .array(tokens())
      .min(1)
      .transform((values): Lengths => ({ kind: "turns", values })),
    z
      .strictObject({
        from: tokens().describe("Fewest tokens."),
        to: tokens().describe("Most tokens."),
        median: tokens()
          .optional()
          .describe("The median of a log-normal distribution, cut at both ends. Left out, all lengths are as likely."),
        spread: decimal({ min: 0.01, max: 3 })
          .optional()
          .describe("The standard deviation of the logarithm; goes with `median`."),
      })
      .transform(({ from, to, median, spread }): Lengths =>
        median === undefined || spread === undefined
          ? { kind: "uniform", from, to }
          : { kind: "lognormal", median, spread, from, to },
      ),
  ])
  .meta({ title: "tokens: a number, a list to take in turn, `{ from, to }` or `{ median, spread, from, to }`" });

const abort: z.ZodType<Abort> = z
  .strictObject({
    fraction: percent().describe("Of all requests."),
    after: span().describe("How long after the request was sent; of two durations, anything between them."),
  })
  .transform(({ fraction, after }): Abort => ({ fraction, afterMs: after }));

/** What requests are like and how their client takes answers: keys of `defaults`, of a consumer and of a load. */
export const behaviourKeys: {
  readonly [K in keyof WrittenBehaviour]: z.ZodType<WrittenBehaviour[K]>;
} = {
  api: choice("chat", "completions", "messages")
    .optional()
    .describe("OpenAI's chat or text completions, or Anthropic's messages. Left out, it is `chat`."),
  model: modelName().optional().describe("The model's name that requests ask for. Left out, the one that is served."),
  prompt: lengths.optional().describe("Tokens of the prompt, about. Left out, it is `100`."),
  output: z
    .union([none(), lengths])
    .optional()
    .describe("`max_tokens` of a request. Left out, or `none`: it has none, and the model ends by itself.")
    .meta({ title: "as `prompt`, or `none`" }),
  stream: toggle().optional().describe("Whether answers are streamed. Left out, it is `true`."),
  patience: patience()
    .optional()
    .describe(
      "How long a client waits for the end of its answer, retries included, before it hangs up. Left out, `forever`.",
    ),
  retry: choice("none", "impatient", "polite", "sdk")
    .optional()
    .describe(
      "What a client does when it is refused or its connection fails. `none`, which is meant where it is left out: gives up. `impatient`: asks again after 50 ms, whatever it was told. `polite`: asks again when it was told to. `sdk`: as the OpenAI and Anthropic SDKs do, twice at most.",
    ),
  abort: z
    .union([abort, none()])
    .optional()
    .describe("Clients that hang up on purpose. Left out, or `none`: every answer is read to its end.")
    .meta({ title: "mapping, or `none`" }),
  connection: choice("kept", "new")
    .optional()
    .describe("`new`: each request opens a connection of its own. Left out, it is `kept`."),
  body: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("Further members of a request's body, such as `ignore_eos: true`. Those of all sections come together."),
};

/** The keys as the file names them. */
interface WrittenBehaviour {
  readonly api: Overrides["api"];
  readonly model: Overrides["model"];
  readonly prompt: Overrides["prompt"];
  readonly output: Overrides["output"];
  readonly stream: Overrides["stream"];
  readonly patience: Overrides["patienceMs"];
  readonly retry: Overrides["retry"];
  readonly abort: Overrides["abort"];
  readonly connection: Overrides["connection"];
  readonly body: Overrides["body"];
}

export const BEHAVIOUR_KEYS: readonly string[] = Object.keys(behaviourKeys);

/** Takes the behaviour out of a section that has other keys too. */
export function overridesOf({ patience, ...from }: WrittenBehaviour): Overrides {
  const { api, model, prompt, output, stream, retry, abort, connection, body } = from;
  return { api, model, prompt, output, stream, patienceMs: patience, retry, abort, connection, body };
}

/** `defaults`. */
export const defaults: z.ZodType<Overrides> = z.strictObject(behaviourKeys).transform(overridesOf);
