import { z } from "zod";
import { count, duration, field, text } from "../../../config/tools.ts";
import type { Ms } from "../../../core/units.ts";
import type { PresetName } from "../../model/presets.ts";
import type { Slo } from "../types.ts";
import { behaviourKeys, defaults, overridesOf, type Overrides } from "./behaviour.ts";
import { assertSection, type AssertSection } from "./conditions.ts";
import { type DraftLoad, load } from "./load.ts";
import { decimal, preset, prose, TIME } from "./values.ts";

// The scenario file. This folder is the only place that says which keys there are, what they take and what they mean. The
// section `gate` is a configuration and is judged as one.

/** What the file says, key by key. */
export interface Draft {
  readonly description: string;
  readonly models: readonly PresetName[];
  readonly speed: number;
  readonly windowMs: Ms;
  readonly slo: Slo;
  readonly defaults: Overrides;
  /** By the names in the file. */
  readonly consumers: ReadonlyMap<string, DraftConsumer>;
  readonly phases: readonly DraftPhase[];
  readonly assert: AssertSection;
}

interface DraftConsumer {
  readonly key: string | undefined;
  readonly overrides: Overrides;
}

export interface DraftPhase {
  readonly name: string;
  readonly durationMs: Ms | undefined;
  readonly loads: ReadonlyMap<string, DraftLoad>;
  readonly assert: AssertSection;
}

export const MOST_ALIKE = 1_000;

function bound(what: string): z.ZodType<Ms | undefined> {
  return duration(TIME).optional().describe(what);
}

const slo: z.ZodType<Slo> = z
  .strictObject({
    ttft: bound("Time to the first token."),
    tpot: bound("Time per output token after the first."),
    e2e: bound("Time to the last token."),
  })
  .transform(({ ttft, tpot, e2e }) => ({ ttftMs: ttft, tpotMs: tpot, e2eMs: e2e }));

const gate = z.record(z.string(), z.unknown());

/** A key as a client sends it. The rule does not hold the value. */
function clientKey(): z.ZodType<string> {
  const rule = "must be a key of visible ASCII characters, without blanks and without the word Bearer";
  return field(
    (value) =>
      typeof value === "string" && /^[\x21-\x7e]{1,4096}$/.test(value)
        ? { kind: "read", value }
        : { kind: "refused", rule },
    { title: "text", type: "string", minLength: 1 },
  );
}

const consumer: z.ZodType<DraftConsumer> = z
  .strictObject({
    count: count({ min: 1, max: MOST_ALIKE })
      .optional()
      .describe(
        "So many that are alike: `user` with a `count` of 40 is `user-1` to `user-40`. Loads and assertions of `user` hold for each.",
      ),
    key: clientKey()
      .optional()
      .describe(
        "The API key that it sends. Left out, it is `lab-` and its name; a target of your own wants one that it knows: `${FRAUD_KEY}`.",
      ),
    ...behaviourKeys,
  })
  .transform((from) => ({ key: from.key, overrides: overridesOf(from) }));

const NOTHING: AssertSection = { all: [], consumers: new Map() };

const phase: z.ZodType<DraftPhase> = z
  .strictObject({
    name: text("a name").describe("What reports call it. No two phases have the same."),
    duration: duration(TIME)
      .optional()
      .describe(
        "How long it goes on. Left out, until all its requests are over: then every load in it must come to an end.",
      ),
    load: z
      .record(z.string(), load)
      .prefault({})
      .describe("What consumers do, by name. Who is not here is silent. Left out, all are."),
    gate: gate
      .optional()
      .describe(
        "Changes to the `gate` so far, in force from the start of this phase: an edit of its file while it serves. It is merged key by key, and nothing can be taken out.",
      ),
    assert: assertSection.optional().describe("What must hold in this phase."),
  })
  .transform((from) => ({
    name: from.name,
    durationMs: from.duration,
    loads: new Map(Object.entries(from.load)),
    assert: from.assert ?? NOTHING,
  }));

const file: z.ZodType<Draft> = z
  .strictObject({
    description: prose().describe("What it shows, in one or two sentences."),
    model: z
      .union([preset().transform((name) => [name]), z.array(preset()).min(1)])
      .describe(
        "The simulated model that it runs against; several run one after the other, and stand side by side in the report.",
      )
      .meta({ title: "name of a preset of `headgate model`, or a list" }),
    speed: decimal({ min: 0.01, max: 10_000 })
      .prefault(1)
      .describe("How many times as fast as the clock it runs, unless `--speed` says otherwise."),
    window: duration({ min: 1_000, max: 3_600_000 })
      .prefault("60s")
      .describe("The stretch of time in which floors, utilization and the fullest window are judged."),
    slo: slo
      .prefault({})
      .describe("What an answer must meet to be good, for `goodput`. What is left out does not count."),
    gate: gate
      .optional()
      .describe(
        "What stands in front of the model: a configuration of `headgate serve`, but for `server`, `admin`, `backends` and `keys`, which are filled in. Its first deployment is the one that is measured. Consumers that are not in it are of kind `user`. Left out, there is no gate.",
      ),
    defaults: defaults.prefault({}).describe("What all requests are like, unless a consumer or a load says otherwise."),
    consumers: z
      .record(z.string(), consumer)
      .describe("Those who send load, by name. The keys of `defaults` may stand here too."),
    phases: z.array(phase).min(1).describe("What happens, one after the other."),
    assert: assertSection.optional().describe("What must hold over the whole run."),
  })
  .describe("A scenario of `headgate load`.")
  .transform((from) => ({
    description: from.description,
    models: from.model,
    speed: from.speed,
    windowMs: from.window,
    slo: from.slo,
    defaults: from.defaults,
    consumers: new Map(Object.entries(from.consumers)),
    phases: from.phases,
    assert: from.assert ?? NOTHING,
  }));

/** Holds a plain value against the schema. */
export function readDraft(tree: unknown): z.ZodSafeParseResult<Draft> {
  return file.safeParse(tree);
}

/** The schema for editors: JSON Schema draft-07 of the file before variables are filled in. */
export function scenarioSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(file, { io: "input", target: "draft-07" });
}
