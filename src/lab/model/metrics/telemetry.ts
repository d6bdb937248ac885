import type { Ms, Tokens } from "../../../core/units.ts";
import type { EngineObserver, SequenceEnding } from "../engine-types.ts";
import { GpuLoad } from "./gpu.ts";
import { Histogram } from "./histogram.ts";

// vLLM's own buckets.
const FIRST_TOKEN_BOUNDS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560,
];
const INTER_TOKEN_BOUNDS = [
  0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
];
const WHOLE_BOUNDS = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];
const STEP_TOKEN_BOUNDS = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];

/** Everything the engine has done, in numbers. */
export class Telemetry implements EngineObserver {
  readonly gpuLoad: GpuLoad = new GpuLoad();
  readonly firstTokenSeconds: Histogram = new Histogram(FIRST_TOKEN_BOUNDS);
  readonly interTokenSeconds: Histogram = new Histogram(INTER_TOKEN_BOUNDS);
  readonly wholeSeconds: Histogram = new Histogram(WHOLE_BOUNDS);
  readonly stepTokens: Histogram = new Histogram(STEP_TOKEN_BOUNDS);
  readonly endings: Record<SequenceEnding, number> = { stop: 0, length: 0, aborted: 0 };
  #promptTokens: Tokens = 0;
  #generatedTokens: Tokens = 0;
  #preemptions = 0;

  /** Prompt tokens processed, each prompt once. */
  get promptTokens(): Tokens {
    return this.#promptTokens;
  }

  get generatedTokens(): Tokens {
    return this.#generatedTokens;
  }

  get preemptions(): number {
    return this.#preemptions;
  }

  /** Starts again at zero, as a restarted server does. */
  clear(): void {
    this.gpuLoad.clear();
    for (const histogram of [this.firstTokenSeconds, this.interTokenSeconds, this.wholeSeconds, this.stepTokens]) {
      histogram.clear();
    }
    Object.assign(this.endings, { stop: 0, length: 0, aborted: 0 });
    this.#promptTokens = 0;
    this.#generatedTokens = 0;
    this.#preemptions = 0;
  }

  stepped(startMs: Ms, endMs: Ms, tokens: Tokens): void {
    this.gpuLoad.stepped(startMs, endMs);
    this.stepTokens.observe(tokens);
  }

  prefilled(promptTokens: Tokens): void {
    this.#promptTokens += promptTokens;
  }

  firstToken(sinceArrivalMs: Ms): void {
    this.#generatedTokens += 1;
    this.firstTokenSeconds.observe(sinceArrivalMs / 1_000);
  }

  nextToken(sinceTokenMs: Ms): void {
    this.#generatedTokens += 1;
    this.interTokenSeconds.observe(sinceTokenMs / 1_000);
  }

  preempted(): void {
    this.#preemptions += 1;
  }

  ended(ending: SequenceEnding, sinceArrivalMs: Ms): void {
    this.endings[ending] += 1;
    if (ending !== "aborted") this.wholeSeconds.observe(sinceArrivalMs / 1_000);
  }
}
