/** The numbers that a reading has. */
export const METRIC_FIELDS = [
  "running",
  "waiting",
  "gpu",
  "kv",
  "promptTokens",
  "generatedTokens",
  "ttftSum",
  "ttftCount",
  "itlSum",
  "itlCount",
] as const;

export type MetricField = (typeof METRIC_FIELDS)[number];

/** What a number is called, and what it must be multiplied by: shares are 0 to 1 and times are ms. */
type Name = string | readonly [name: string, factor: number];

const SECONDS = 1_000;
const PERCENT = 0.01;

const TTFT = [
  "vllm:time_to_first_token_seconds",
  "sglang:time_to_first_token_seconds",
  "trtllm_time_to_first_token_seconds",
  "trtllm:time_to_first_token_seconds",
  "time_to_first_token_seconds",
];

/** The time of one token from the one before, as each server has it; later ones only where the earlier are not there. */
const ITL = [
  "vllm:inter_token_latency_seconds",
  "vllm:time_per_output_token_seconds",
  "sglang:inter_token_latency_seconds",
  "sglang:time_per_output_token_seconds",
  "trtllm_time_per_output_token_seconds",
  "trtllm:time_per_output_token_seconds",
  "time_per_output_token_seconds",
  "tgi_request_mean_time_per_token_duration",
];

/**
 * The names of vLLM (v1, and older ones), SGLang, llama-server, TensorRT-LLM, TGI and NIM 1 (no prefix), and those of a GPU's
 * exporters. Where a page has several of a list, the first one counts.
 */
export const METRIC_NAMES: Readonly<Record<MetricField, readonly Name[]>> = {
  running: [
    "vllm:num_requests_running",
    "sglang:num_running_reqs",
    "llamacpp:requests_processing",
    "trtllm_num_requests_running",
    "trtllm:num_requests_running",
    "tgi_batch_current_size",
    "num_requests_running",
  ],
  waiting: [
    "vllm:num_requests_waiting",
    "sglang:num_queue_reqs",
    "llamacpp:requests_deferred",
    "trtllm_num_requests_waiting",
    "trtllm:num_requests_waiting",
    "tgi_queue_size",
    "num_requests_waiting",
  ],
  gpu: [
    ["DCGM_FI_DEV_GPU_UTIL", PERCENT],
    ["nvidia_gpu_utilization", PERCENT],
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
    "nvidia_smi_utilization_gpu_ratio",
    "nv_gpu_utilization",
    ["gpu_utilization_percent", PERCENT],
  ],
  kv: [
    "vllm:kv_cache_usage_perc",
    "vllm:gpu_cache_usage_perc",
    "sglang:token_usage",
    "llamacpp:kv_cache_usage_ratio",
    "trtllm_kv_cache_utilization",
    "trtllm:kv_cache_utilization",
    "gpu_cache_usage_perc",
  ],
  promptTokens: [
    "vllm:prompt_tokens_total",
    "sglang:prompt_tokens_total",
    "llamacpp:prompt_tokens_total",
    "tgi_request_input_length_sum",
    "prompt_tokens_total",
  ],
  generatedTokens: [
    "vllm:generation_tokens_total",
    "sglang:generation_tokens_total",
    "llamacpp:tokens_predicted_total",
    "tgi_request_generated_tokens_sum",
    "generation_tokens_total",
  ],
  ttftSum: TTFT.map((name) => [`${name}_sum`, SECONDS]),
  ttftCount: TTFT.map((name) => `${name}_count`),
  // llama-server has the time that its slots spent generating, and how many tokens that were.
  itlSum: [
    ...ITL.map((name) => [`${name}_sum`, SECONDS] as const),
    ["llamacpp:tokens_predicted_seconds_total", SECONDS],
  ],
  itlCount: [...ITL.map((name) => `${name}_count`), "llamacpp:tokens_predicted_total"],
};

/** Of several engines or GPUs on one page, these are averaged; all others are added up. */
export const AVERAGED: ReadonlySet<MetricField> = new Set<MetricField>(["gpu", "kv"]);
