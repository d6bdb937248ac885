import { describe, expect, test } from "vitest";

import { readMetrics } from "../../src/lab/http/read-metrics.ts";
import { createRandom } from "../../src/core/random.ts";
import { Engine } from "../../src/lab/model/engine.ts";
import { renderMetrics } from "../../src/lab/model/metrics/page.ts";
import { Telemetry } from "../../src/lab/model/metrics/telemetry.ts";
import { PRESETS } from "../../src/lab/model/presets.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

const VLLM = `
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a {b} c"} 3.0
vllm:num_requests_running{engine="1",model_name="a {b} c"} 4.0
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 9.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.5
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.7
vllm:gpu_cache_usage_perc{engine="0",model_name="m"} 0.9
vllm:prompt_tokens_total{engine="0",model_name="m"} 1.5e+06
vllm:prompt_tokens_created{engine="0",model_name="m"} 1.7e+09
vllm:generation_tokens_total{engine="0",model_name="m"} 12345.0 1700000000000
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.001",model_name="m"} 0.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 10.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="m"} 0.5
vllm:inter_token_latency_seconds_count{engine="0",model_name="m"} 100.0
vllm:inter_token_latency_seconds_sum{engine="0",model_name="m"} 2.0
vllm:time_per_output_token_seconds_count{engine="0",model_name="m"} 7.0
vllm:time_per_output_token_seconds_sum{engine="0",model_name="m"} 7.0
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1"} 90
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-2"} 70
`;

const OLD_VLLM = `
vllm:num_requests_running{model_name="m"} 2.0
vllm:gpu_cache_usage_perc{model_name="m"} 0.25
vllm:time_per_output_token_seconds_sum{model_name="m"} 3.0
vllm:time_per_output_token_seconds_count{model_name="m"} 100.0
`;

const LLAMA = `
# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 480
llamacpp:prompt_seconds_total 1.5
llamacpp:tokens_predicted_total 200
llamacpp:tokens_predicted_seconds_total 21
llamacpp:n_decode_total 204
llamacpp:predicted_tokens_seconds 9.5
llamacpp:requests_processing 2
llamacpp:requests_deferred 1
`;

const NOTHING = { running: NaN, waiting: NaN, gpu: NaN, kv: NaN, promptTokens: NaN, generatedTokens: NaN };
const NO_TIMES = { sumMs: NaN, count: NaN };

describe("a page of metrics", () => {
  test("of vLLM with two engines and two GPUs adds up what is counted and averages what is a share", () => {
    expect(readMetrics(VLLM, 7)).toEqual({
      at: 7,
      running: 7,
      waiting: 1,
      gpu: 0.8,
      kv: 0.6,
      promptTokens: 1_500_000,
      generatedTokens: 12_345,
      ttft: { sumMs: 500, count: 10 },
      itl: { sumMs: 2_000, count: 100 },
      peak: NaN,
      wedged: undefined,
    });
  });

  test("of an old vLLM is read by its old names", () => {
    expect(readMetrics(OLD_VLLM, 0)).toMatchObject({
      running: 2,
      kv: 0.25,
      waiting: NaN,
      itl: { sumMs: 3_000, count: 100 },
    });
  });

  test("of llama-server has no time to first token, but the time per token", () => {
    expect(readMetrics(LLAMA, 0)).toMatchObject({
      running: 2,
      waiting: 1,
      gpu: NaN,
      kv: NaN,
      promptTokens: 480,
      generatedTokens: 200,
      ttft: NO_TIMES,
      itl: { sumMs: 21_000, count: 200 },
    });
  });

  test("of SGLang, of TGI and of NIM 1 is read by their names", () => {
    const sglang =
      'sglang:num_running_reqs{tp_rank="0"} 5\nsglang:num_queue_reqs{tp_rank="0"} 2\nsglang:token_usage{x="y"} 0.3\n';
    expect(readMetrics(sglang, 0)).toMatchObject({ running: 5, waiting: 2, kv: 0.3 });
    const tgi = "tgi_queue_size 4\ntgi_batch_current_size 8\ntgi_request_mean_time_per_token_duration_sum 0.2\n";
    expect(readMetrics(tgi, 0)).toMatchObject({ running: 8, waiting: 4, itl: { sumMs: 200, count: NaN } });
    const nim = 'num_requests_running{model_name="m"} 6\ngpu_cache_usage_perc{model_name="m"} 0.02\n';
    expect(readMetrics(nim, 0)).toMatchObject({ running: 6, kv: 0.02 });
  });

  test("in another time than the scenario's has its times scaled and its counts not", () => {
    expect(readMetrics(VLLM, 0, 20).ttft).toEqual({ sumMs: 10_000, count: 10 });
  });

  test.each([
    "",
    "\n\n",
    "<html>no metrics</html>",
    "vllm:num_requests_running\nllamacpp:requests_deferred x",
    "{} 1\n}{ 2\n 3",
  ])("of which nothing is known says nothing: %j", (page) => {
    expect(readMetrics(page, 1)).toMatchObject({ at: 1, ...NOTHING, ttft: NO_TIMES, itl: NO_TIMES });
  });

  test("of the simulated model says what its telemetry counted", () => {
    const clock = new VirtualClock();
    const telemetry = new Telemetry();
    const preset = PRESETS["nim-gpt-oss-20b"];
    const engine = new Engine({ config: preset.engine, clock, random: createRandom(1), observer: telemetry });
    for (let count = 0; count < 45; count++) engine.submit({ promptTokens: 116, maxTokens: 50 }, { end: () => {} });
    clock.advance(500);
    const reading = readMetrics(renderMetrics({ preset, engine, telemetry, now: clock.now() }), clock.now());
    expect(reading).toMatchObject({ at: 500, running: 40, waiting: 5, promptTokens: 40 * 116 });
    expect(reading.generatedTokens).toBe(telemetry.generatedTokens);
    expect(reading.ttft.sumMs).toBeCloseTo(1_000 * telemetry.firstTokenSeconds.sum, 6);
    expect(reading.itl.count).toBe(telemetry.interTokenSeconds.count);
    expect(reading.gpu).toBeGreaterThan(0.1);
    expect(reading.kv).toBeCloseTo(engine.state.kvUsedTokens / preset.engine.kvTokens, 9);
  });
});
