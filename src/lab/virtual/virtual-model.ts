import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Random } from "../../core/random.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { ModelReading, Question } from "../load/types.ts";
import { Engine } from "../model/engine.ts";
import type { SequenceListener } from "../model/engine-types.ts";
import { Telemetry } from "../model/metrics/telemetry.ts";
import type { Preset } from "../model/presets.ts";
import { drawLength } from "../model/text.ts";

const MS_PER_S = 1_000;

/** The simulated model without its sockets: the same engine and the same statistics. */
export class VirtualModel {
  readonly #clock: Clock;
  readonly #preset: Preset;
  readonly #random: Random;
  readonly #engine: Engine;
  readonly #telemetry = new Telemetry();
  #open = 0;
  #peak = 0;

  constructor(preset: Preset, clock: Clock, random: Random) {
    this.#clock = clock;
    this.#preset = preset;
    this.#random = random;
    this.#engine = new Engine({ config: preset.engine, clock, random, observer: this.#telemetry });
  }

  get wedged(): boolean {
    return this.#engine.state.wedged;
  }

  /** Whether a prompt fits into its context at all. */
  takes({ promptTokens }: Question): boolean {
    return promptTokens < this.#preset.engine.contextTokens;
  }

  /** Runs one request that it takes. The cancel aborts it, and nothing is heard of it any more. */
  run({ promptTokens, maxTokens = Infinity, body }: Question, listener: SequenceListener): Cancel {
    this.#open += 1;
    this.#peak = Math.max(this.#peak, this.#open);
    let isOver = false;
    const over = (): void => {
      if (!isOver) this.#open -= 1;
      isOver = true;
    };
    const limits = { promptTokens: Math.max(1, promptTokens), maxTokens };
    const request =
      body["ignore_eos"] === true
        ? limits
        : { ...limits, stopAfterTokens: drawLength(this.#random, this.#preset.output) };
    const handle = this.#engine.submit(request, {
      token: (at) => {
        if (!isOver) listener.token?.(at);
      },
      end: (ending, at) => {
        if (isOver) return;
        over();
        listener.end(ending, at);
      },
    });
    return () => {
      over();
      handle.abort();
    };
  }

  /** As `/metrics` and `/sim/peak` would say it. */
  reading(at: Ms): ModelReading {
    const peak = this.#peak;
    this.#peak = this.#open;
    const { running, waiting, kvUsedTokens, stepping, wedged } = this.#engine.state;
    const { firstTokenSeconds, interTokenSeconds, promptTokens, generatedTokens, gpuLoad } = this.#telemetry;
    return {
      at,
      running,
      waiting,
      gpu: wedged ? 1 : gpuLoad.read(this.#clock.now(), stepping),
      kv: kvUsedTokens / this.#preset.engine.kvTokens,
      promptTokens,
      generatedTokens,
      ttft: { sumMs: firstTokenSeconds.sum * MS_PER_S, count: firstTokenSeconds.count },
      itl: { sumMs: interTokenSeconds.sum * MS_PER_S, count: interTokenSeconds.count },
      peak,
      wedged,
    };
  }
}

/** Tokens that a request will hold in the model's memory. */
export function heldTokens({ promptTokens, maxTokens }: Question, typicalOutput: Tokens): Tokens {
  return promptTokens + (maxTokens ?? typicalOutput);
}
