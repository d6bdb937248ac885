/**
 * A llama model small enough to make up on the spot: random weights, two layers, well under a megabyte. It says nothing
 * sensible, but everything around the words is real: tokenizer, batches, KV cache, parallel sequences.
 *
 * Dimension 0 of the hidden state is kept constant on purpose. Every token's embedding holds the same value there and no
 * layer writes to it, so an output row can use it as a bias: strongly negative for tokens the model must not write
 * (bytes, control tokens, word fragments), mildly so for the end of the text.
 */
import { encodeGguf } from "./gguf.mjs";
import { CHAT_TEMPLATE, createVocabulary } from "./vocabulary.mjs";

const WIDTH = 64;
const HEADS = 4;
const KV_HEADS = 2;
const FEED_FORWARD = 96;
const LAYERS = 2;
const HEAD_WIDTH = WIDTH / HEADS;
const KV_WIDTH = HEAD_WIDTH * KV_HEADS;
/** The longest context a caller may ask for. */
const TRAINED_CONTEXT = 32_768;

/** The value of dimension 0 in every embedding. */
const BIAS_INPUT = 1;
const BIAS_NEVER = -100;
/** Chosen so that answers end by themselves, after anything from a few words to some hundreds. */
const BIAS_END = -4;

export const MODEL_NAME = "tiny-random-llama";

/**
 * @param {number} seed Equal seeds give equal files.
 * @returns {Buffer}
 */
export function createModelFile(seed) {
  const vocabulary = createVocabulary();
  return encodeGguf({ metadata: metadata(vocabulary), tensors: tensors(vocabulary, gaussian(seed)) });
}

/**
 * @param {import("./vocabulary.mjs").Vocabulary} vocabulary
 * @returns {import("./gguf.mjs").MetadataEntry[]}
 */
function metadata({ pieces, unknown, begin, end }) {
  return [
    { key: "general.architecture", type: "string", value: "llama" },
    { key: "general.name", type: "string", value: MODEL_NAME },
    { key: "general.file_type", type: "u32", value: 0 },
    { key: "llama.context_length", type: "u32", value: TRAINED_CONTEXT },
    { key: "llama.embedding_length", type: "u32", value: WIDTH },
    { key: "llama.block_count", type: "u32", value: LAYERS },
    { key: "llama.feed_forward_length", type: "u32", value: FEED_FORWARD },
    { key: "llama.attention.head_count", type: "u32", value: HEADS },
    { key: "llama.attention.head_count_kv", type: "u32", value: KV_HEADS },
    { key: "llama.attention.layer_norm_rms_epsilon", type: "f32", value: 1e-5 },
    { key: "llama.rope.dimension_count", type: "u32", value: HEAD_WIDTH },
    { key: "llama.vocab_size", type: "u32", value: pieces.length },
    { key: "tokenizer.ggml.model", type: "string", value: "llama" },
    { key: "tokenizer.ggml.pre", type: "string", value: "default" },
    { key: "tokenizer.ggml.tokens", type: "array", of: "string", value: pieces.map(({ text }) => text) },
    { key: "tokenizer.ggml.scores", type: "array", of: "f32", value: pieces.map(({ score }) => score) },
    { key: "tokenizer.ggml.token_type", type: "array", of: "i32", value: pieces.map(({ kind }) => kind) },
    { key: "tokenizer.ggml.unknown_token_id", type: "u32", value: unknown },
    { key: "tokenizer.ggml.bos_token_id", type: "u32", value: begin },
    { key: "tokenizer.ggml.eos_token_id", type: "u32", value: end },
    { key: "tokenizer.ggml.add_bos_token", type: "bool", value: true },
    { key: "tokenizer.ggml.add_eos_token", type: "bool", value: false },
    { key: "tokenizer.ggml.add_space_prefix", type: "bool", value: false },
    { key: "tokenizer.chat_template", type: "string", value: CHAT_TEMPLATE },
  ];
}

/**
 * @param {import("./vocabulary.mjs").Vocabulary} vocabulary
 * @param {() => number} random
 * @returns {import("./gguf.mjs").Tensor[]}
 */
function tensors({ pieces, end }, random) {
  /** @param {number} length */
  const ones = (length) => new Float32Array(length).fill(1);
  /** @param {{ columns: number, rows: number, spread: number }} size */
  const noise = ({ columns, rows, spread }) => Float32Array.from({ length: columns * rows }, () => random() * spread);

  const embedding = noise({ columns: WIDTH, rows: pieces.length, spread: 0.5 });
  const output = noise({ columns: WIDTH, rows: pieces.length, spread: 0.4 });
  for (const [token, { writable }] of pieces.entries()) {
    embedding[token * WIDTH] = BIAS_INPUT;
    output[token * WIDTH] = token === end ? BIAS_END : writable ? 0 : BIAS_NEVER;
  }
  const spread = 0.2;
  const layers = Array.from({ length: LAYERS }, (_, layer) => {
    /** @param {string} name @param {number} columns @param {number} rows */
    const matrix = (name, columns, rows) => ({
      name: `blk.${layer}.${name}.weight`,
      shape: [columns, rows],
      data: noise({ columns, rows, spread }),
    });
    const attentionOutput = matrix("attn_output", WIDTH, WIDTH);
    const feedForwardDown = matrix("ffn_down", FEED_FORWARD, WIDTH);
    // Row 0 is what a layer would add to dimension 0.
    attentionOutput.data.fill(0, 0, WIDTH);
    feedForwardDown.data.fill(0, 0, FEED_FORWARD);
    return [
      { name: `blk.${layer}.attn_norm.weight`, shape: [WIDTH], data: ones(WIDTH) },
      matrix("attn_q", WIDTH, WIDTH),
      matrix("attn_k", WIDTH, KV_WIDTH),
      matrix("attn_v", WIDTH, KV_WIDTH),
      attentionOutput,
      { name: `blk.${layer}.ffn_norm.weight`, shape: [WIDTH], data: ones(WIDTH) },
      matrix("ffn_gate", WIDTH, FEED_FORWARD),
      matrix("ffn_up", WIDTH, FEED_FORWARD),
      feedForwardDown,
    ];
  });
  return [
    { name: "token_embd.weight", shape: [WIDTH, pieces.length], data: embedding },
    ...layers.flat(),
    { name: "output_norm.weight", shape: [WIDTH], data: ones(WIDTH) },
    { name: "output.weight", shape: [WIDTH, pieces.length], data: output },
  ];
}

/**
 * Normally distributed numbers: mulberry32, then Box and Muller.
 *
 * @param {number} seed
 */
function gaussian(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
