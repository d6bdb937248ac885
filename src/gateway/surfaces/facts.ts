import { isRecord } from "../../core/json.ts";
import { isUtf8 } from "node:buffer";

import { type Measure, measureJson } from "../../core/cost/measure.ts";
import type { Tokens } from "../../core/units.ts";
import { hasTooManyElements, MAX_ELEMENTS } from "./elements.ts";

/** What the gate has to know of an inference request. */
export interface RequestFacts {
  /** Undefined where the body names none. */
  readonly model: string | undefined;
  /** The most that it lets the model generate, all choices together. Undefined where it sets no bound. */
  readonly maxOutputTokens: Tokens | undefined;
  /** Whether it says that it wants a stream. Ollama streams without. */
  readonly asksForStream: boolean;
  readonly measure: Measure;
}

export type FactsResult =
  | { readonly kind: "facts"; readonly facts: RequestFacts }
  | { readonly kind: "invalid"; readonly message: string; readonly param?: string };

/** Deeper nesting than any schema of a tool needs. */
const MAX_DEPTH = 128;

/** Where the surfaces put the bound on the output; Ollama's sits in `options`. */
const OUTPUT_BOUNDS = [
  "max_completion_tokens",
  "max_tokens",
  "max_output_tokens",
  "n_predict",
  "max_new_tokens",
] as const;

/** Reads the facts out of a JSON body. Fields that the gate does not need are the backend's business. */
export function factsOf(body: Buffer): FactsResult {
  // Servers differ in what they make of other bytes: some answer 500, as if they were broken.
  if (!isUtf8(body)) return { kind: "invalid", message: "the body is not valid UTF-8" };
  if (hasTooManyElements(body)) {
    return { kind: "invalid", message: `the body has more than ${MAX_ELEMENTS} elements` };
  }
  let json: unknown;
  try {
    json = JSON.parse(body.toString("utf8"));
  } catch {
    return { kind: "invalid", message: body.length === 0 ? "the body is empty" : "the body is not valid JSON" };
  }
  if (!isRecord(json)) return { kind: "invalid", message: "the body must be a JSON object" };
  const measure = measureJson(json, MAX_DEPTH);
  if (measure === undefined) return { kind: "invalid", message: `the body nests deeper than ${MAX_DEPTH} levels` };
  const model = json["model"];
  if (model !== undefined && model !== null && typeof model !== "string") {
    return { kind: "invalid", message: "model must be a string", param: "model" };
  }
  const asksForStream = json["stream"] === true;
  const facts = { model: model ?? undefined, maxOutputTokens: outputBound(json), asksForStream, measure };
  return { kind: "facts", facts };
}

function outputBound(json: Readonly<Record<string, unknown>>): Tokens | undefined {
  const options = isRecord(json["options"]) ? json["options"] : undefined;
  const parameters = isRecord(json["parameters"]) ? json["parameters"] : undefined;
  let bound: unknown;
  for (const name of OUTPUT_BOUNDS) {
    bound = json[name];
    if (isPositive(bound)) break;
  }
  if (!isPositive(bound)) bound = options?.["num_predict"];
  if (!isPositive(bound)) bound = parameters?.["max_new_tokens"];
  if (!isPositive(bound)) return undefined;
  const choices = json["n"];
  // Two numbers that JSON can hold may have a product that no sum of tokens can.
  return Math.min(bound * (isPositive(choices) ? choices : 1), Number.MAX_SAFE_INTEGER);
}

function isPositive(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}
