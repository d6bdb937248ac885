import type { ConfigPath, Guide } from "../../config/tools.ts";
import { Outline } from "../../config/tools.ts";
import { scenarioSchema } from "./schema/file.ts";

/** What advice on a mistake in a scenario is taken from. */
export const SCENARIO_GUIDE: Guide = {
  outline: new Outline(scenarioSchema()),
  coming: [],
  knownAs: new Map(
    Object.entries({
      models: "model",
      preset: "model",
      title: "description",
      objectives: "slo",
      gateway: "gate",
      steps: "phases",
      stages: "phases",
      scenarios: "phases",
      clients: "consumers",
      users: "consumers",
      loads: "load",
      concurrency: "workers",
      concurrent_users: "workers",
      vus: "workers",
      iterations: "requests",
      think: "pause",
      think_time: "pause",
      sleep: "pause",
      rps: "rate",
      rpm: "rate",
      qps: "rate",
      trace: "replay",
      start: "from",
      delay: "from",
      api_key: "key",
      asserts: "assert",
      assertions: "assert",
      expect: "assert",
      thresholds: "assert",
      max_tokens: "output",
      output_tokens: "output",
      input: "prompt",
      prompt_tokens: "prompt",
      timeout: "patience",
      retries: "retry",
      cancel: "abort",
      latency_p99: "e2e_p99",
      throughput: "served_per_minute",
      availability: "success",
      success_rate: "success",
    }),
  ),
  emptyHint,
};

function emptyHint(path: ConfigPath): string | undefined {
  const key = path.at(-1);
  if (path.length === 0) return "headgate load init writes one to begin with";
  if (path.length === 2 && path[0] === "consumers") return `${key}: {} is a consumer with the defaults`;
  return key === "gate" ? "without the key, nothing stands in front of the model" : undefined;
}
