import type { Ms } from "../../../core/units.ts";
import type { Engine } from "../engine.ts";
import type { Preset } from "../presets.ts";
import { Exposition } from "./exposition.ts";
import type { Telemetry } from "./telemetry.ts";

export interface MetricsSource {
  readonly preset: Preset;
  readonly engine: Engine;
  readonly telemetry: Telemetry;
  readonly now: Ms;
}

/** `/metrics`: the names of vLLM v1, DCGM's for the GPU. */
export function renderMetrics(source: MetricsSource): string {
  const page = new Exposition();
  writeEngine(page, source);
  writeGpu(page, source);
  return page.toString();
}

function writeEngine(page: Exposition, { preset, engine, telemetry }: MetricsSource): void {
  const labels = { model_name: preset.modelName, engine: "0" };
  const { state, config } = engine;
  const one = (value: number) => [{ labels, value }];
  page.gauge({ name: "vllm:num_requests_running", help: "Requests in the running batch." }, one(state.running));
  page.gauge({ name: "vllm:num_requests_waiting", help: "Requests waiting for the batch." }, one(state.waiting));
  page.gauge(
    { name: "vllm:kv_cache_usage_perc", help: "KV cache usage; 1 means 100 percent." },
    one(state.kvUsedTokens / config.kvTokens),
  );
  page.counter({ name: "vllm:num_preemptions_total", help: "Preemptions." }, one(telemetry.preemptions));
  page.counter({ name: "vllm:prompt_tokens_total", help: "Prompt tokens processed." }, one(telemetry.promptTokens));
  page.counter({ name: "vllm:generation_tokens_total", help: "Tokens generated." }, one(telemetry.generatedTokens));
  const finished = { stop: telemetry.endings.stop, length: telemetry.endings.length, abort: telemetry.endings.aborted };
  page.counter(
    { name: "vllm:request_success_total", help: "Requests ended, by reason." },
    Object.entries(finished).map(([reason, value]) => ({ labels: { ...labels, finished_reason: reason }, value })),
  );
  const histograms = [
    ["vllm:time_to_first_token_seconds", "Time from arrival to the first token.", telemetry.firstTokenSeconds],
    ["vllm:inter_token_latency_seconds", "Time between two tokens.", telemetry.interTokenSeconds],
    ["vllm:e2e_request_latency_seconds", "Time from arrival to the last token.", telemetry.wholeSeconds],
    ["vllm:iteration_tokens_total", "Tokens per engine step.", telemetry.stepTokens],
  ] as const;
  for (const [name, help, histogram] of histograms) page.histogram({ name, help }, labels, histogram);
}

/** A wedged GPU looks fully busy at hardly any power. */
function writeGpu(page: Exposition, { preset, engine, telemetry, now }: MetricsSource): void {
  const { gpu } = preset;
  const load = telemetry.gpuLoad.read(now, engine.state.stepping);
  const isWedged = engine.state.wedged;
  const percent = isWedged ? 100 : Math.round(load * 100);
  const watts = gpu.idleWatts + (gpu.busyWatts - gpu.idleWatts) * (isWedged ? 0.1 : load);
  const labels = { gpu: "0", device: "nvidia0", modelName: gpu.name };
  const one = (value: number) => [{ labels, value }];
  page.gauge({ name: "DCGM_FI_DEV_GPU_UTIL", help: "GPU utilization (in %)." }, one(percent));
  page.gauge({ name: "DCGM_FI_DEV_FB_USED", help: "Framebuffer memory used (in MiB)." }, one(gpu.usedMib));
  page.gauge(
    { name: "DCGM_FI_DEV_FB_FREE", help: "Framebuffer memory free (in MiB)." },
    one(gpu.memoryMib - gpu.usedMib),
  );
  page.gauge({ name: "DCGM_FI_DEV_POWER_USAGE", help: "Power draw (in W)." }, one(Math.round(watts * 10) / 10));
  page.gauge({ name: "nvidia_gpu_utilization", help: "GPU utilization (in %)." }, one(percent));
}
