import { z } from "zod";

import { createRandom } from "../../../core/random.ts";
import { hashOf } from "../hash.ts";
import { promptOf, promptSchema, readBy } from "./body.ts";
import type { Prompt, Surface } from "./types.ts";

const DEFAULT_DIMENSIONS = 64;

const bodySchema = z.object({
  model: z.string().nullish(),
  input: z.union([promptSchema, z.array(promptSchema).min(1).max(2048)]),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.number().int().min(1).max(4096).nullish(),
});

/** `/v1/embeddings`: one unit vector per input, a function of the input alone. */
export const openaiEmbeddings: Surface = {
  errors: "openai",
  read: (body, defaultModel) => {
    const read = readBy(bodySchema, body);
    if ("problem" in read) return read;
    const { input, encoding_format, dimensions } = read.value;
    const model = read.value.model ?? defaultModel;
    const inputs = inputsOf(input);
    const tokens = inputs.reduce((sum, each) => sum + each.tokens, 0);
    const embed = (each: Prompt): readonly number[] | string => {
      const vector = embedding(each.text, dimensions ?? DEFAULT_DIMENSIONS);
      return encoding_format === "base64" ? Buffer.from(vector.buffer).toString("base64") : Array.from(vector);
    };
    return {
      model,
      prompt: { text: "", tokens },
      stream: false,
      maxTokens: 0,
      ignoresEnd: false,
      format: () => ({
        streamType: "",
        opening: () => "",
        token: () => "",
        closing: () => "",
        whole: () => ({
          object: "list",
          data: inputs.map((each, index) => ({ object: "embedding", index, embedding: embed(each) })),
          model,
          usage: { prompt_tokens: tokens, total_tokens: tokens },
        }),
      }),
    };
  },
};

function inputsOf(input: string | readonly (number | string | readonly number[])[]): readonly Prompt[] {
  if (typeof input === "string") return [promptOf(input)];
  const ids = input.filter((each) => typeof each === "number");
  if (ids.length > 0) return [promptOf(ids)];
  return input.flatMap((each) => (typeof each === "number" ? [] : [promptOf(each)]));
}

function embedding(text: string, dimensions: number): Float32Array {
  const random = createRandom(hashOf(0, text).low);
  const raw = Float64Array.from({ length: dimensions }, () => random() - 0.5);
  const norm = Math.sqrt(raw.reduce((sum, value) => sum + value * value, 0)) || 1;
  return Float32Array.from(raw, (value) => value / norm);
}
