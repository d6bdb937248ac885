import type { Tokens } from "../units.ts";
import { CHARS_PER_TOKEN, TOKENS_PER_MEDIUM, TYPICAL_OUTPUT } from "./estimate.ts";
import { Line } from "./line.ts";
import type { Measure } from "./measure.ts";
import type { Estimate } from "./settlement.ts";

/** What a backend said that a request used; `undefined` where it did not say. */
export interface LearnedFrom {
  readonly input: Tokens | undefined;
  readonly output: Tokens | undefined;
}

/** How much is remembered at most. What was not learned of for longest goes first. */
export interface EstimatorBounds {
  readonly models: number;
  readonly consumersPerModel: number;
}

const DEFAULT_BOUNDS: EstimatorBounds = { models: 128, consumersPerModel: 2_048 };

/** Tokens per character: from long runs of spaces, to scripts of which a character is more than one token. */
const LEAST_PER_CHAR = 1 / 20;
const MOST_PER_CHAR = 2;

/** What a chat template adds at most. */
const MOST_BASE: Tokens = 4_096;

/** A small icon, and a recording of some minutes. */
const LEAST_PER_MEDIUM: Tokens = 16;
const MOST_PER_MEDIUM: Tokens = 20_000;

/** How much one new value counts in an average, once there have been some. */
const SHARE_OF_NEWEST = 0.1;

/** Characters of a request at which the unlearned line is held. */
const LONG_TEXT = 4_000;

/**
 * Says in advance how many tokens a request will use, and learns from what the backends report (design of admission,
 * section 1.9). Unlearned, it says what `estimateTokens` says.
 *
 * Input: a base (the chat template) plus tokens per character, fitted per model; media apart, per model. The two are kept
 * apart so that many short requests, which are mostly template, teach nothing false about a long one.
 * Output: the request's own bound, or what this consumer's answers from this model have been of late, if that is less.
 *
 * Time per call does not depend on how much is remembered.
 */
export class Estimator {
  readonly #bounds: EstimatorBounds;
  readonly #models = new Map<string, Model>();

  constructor(bounds: EstimatorBounds = DEFAULT_BOUNDS) {
    this.#bounds = bounds;
  }

  /** `maxOutput`: the bound that the request sets on its output, all choices together. */
  estimate(consumer: string, model: string, measure: Measure, maxOutput: Tokens | undefined): Estimate {
    const learned = this.#models.get(model);
    const expected = learned?.outputs.get(consumer)?.value ?? TYPICAL_OUTPUT;
    return {
      input: learned === undefined ? unlearnedInput(measure) : Math.max(1, Math.round(inputOf(learned, measure))),
      output: Math.min(maxOutput ?? Infinity, Math.round(expected)),
    };
  }

  /**
   * Takes in what a request really used. Only for final reports: an answer that was cut says nothing about what its
   * consumer expects of the next one.
   */
  learn(consumer: string, model: string, measure: Measure, usage: LearnedFrom): void {
    const learned = touch(this.#models, model, this.#bounds.models, newModel);
    if (usage.input !== undefined) learnInput(learned, measure, usage.input);
    if (usage.output === undefined) return;
    const { consumersPerModel } = this.#bounds;
    touch(learned.outputs, consumer, consumersPerModel, () => new Average(TYPICAL_OUTPUT)).add(usage.output);
  }
}

interface Model {
  readonly text: Line;
  readonly medium: Average;
  /** The fit of `text`, so that an estimate need not make it. */
  base: number;
  perChar: number;
  readonly outputs: Map<string, Average>;
}

function newModel(): Model {
  return {
    text: new Line({ base: 0, slope: 1 / CHARS_PER_TOKEN, far: LONG_TEXT }),
    medium: new Average(TOKENS_PER_MEDIUM),
    base: 0,
    perChar: 1 / CHARS_PER_TOKEN,
    outputs: new Map(),
  };
}

function unlearnedInput({ textChars, media }: Measure): Tokens {
  return Math.ceil(textChars / CHARS_PER_TOKEN) + media * TOKENS_PER_MEDIUM;
}

function inputOf({ base, perChar, medium }: Model, { textChars, media }: Measure): Tokens {
  return base + perChar * textChars + media * medium.value;
}

/** A request with media teaches what media cost, and nothing about text. */
function learnInput(model: Model, measure: Measure, input: Tokens): void {
  if (measure.media > 0) {
    const ofText = model.base + model.perChar * measure.textChars;
    return model.medium.add(clamp((input - ofText) / measure.media, LEAST_PER_MEDIUM, MOST_PER_MEDIUM));
  }
  model.text.add(measure.textChars, Math.min(input, MOST_BASE + measure.textChars * MOST_PER_CHAR));
  const { base, slope } = model.text.fit();
  model.base = clamp(base, 0, MOST_BASE);
  model.perChar = clamp(slope, LEAST_PER_CHAR, MOST_PER_CHAR);
}

/** A moving average, of which the first value given is the first sample. */
class Average {
  value: number;
  #samples = 1;

  constructor(first: number) {
    this.value = first;
  }

  add(sample: number): void {
    this.#samples += 1;
    this.value += (sample - this.value) * Math.max(SHARE_OF_NEWEST, 1 / this.#samples);
  }
}

/** The entry of that name, made if missing, and now the newest; the oldest one goes if there are too many. */
function touch<T>(map: Map<string, T>, name: string, most: number, make: () => T): T {
  const entry = map.get(name) ?? make();
  map.delete(name);
  map.set(name, entry);
  if (map.size > most) {
    const oldest = map.keys().next();
    if (oldest.done !== true) map.delete(oldest.value);
  }
  return entry;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
