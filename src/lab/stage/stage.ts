import type { ChildProcess } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import type { Clock } from "../../contracts/clock.ts";
import type { PresetName } from "../model/presets.ts";
import { Child, type ChildOptions } from "./child.ts";
import { type GateEdit, GateFile } from "./gate-file.ts";

/** Starts `headgate` with these arguments, without a standard input and with pipes for all that it says. */
export type Launch = (args: readonly string[]) => ChildProcess;

export interface StageOptions {
  readonly launch: Launch;
  /** A model to simulate, or one that runs already. */
  readonly model: { readonly preset: PresetName; readonly seed: number } | { readonly url: string };
  /** How many times as fast the processes' clocks run. */
  readonly speed: number;
  /** Writes the gate's file, once it is known where the model is. `undefined`: no gate. Its port should be 0: any free one. */
  readonly gate: ((modelUrl: string) => string) | undefined;
  /** For the gate's file and the logs. It is made where it is not there, and it stays. */
  readonly folder: string;
  /** The system's, whatever the speed. */
  readonly clock: Clock;
  /** A process has ended in the middle of the run. The others go on until `stop`. */
  readonly onDeath: (why: string) => void;
}

/** What a load runs against: processes of their own, so that neither shares an event loop with the load. */
export interface Stage {
  /** Where requests go: the gate, or the model where there is none. */
  readonly url: string;
  readonly modelUrl: string;
  /** Where the gate's operators reach it; `undefined` where its file has no `admin`. */
  readonly adminUrl: string | undefined;
  /** Gives the gate a new file, and resolves when it has judged it. Rejects where there is no gate or it says nothing. */
  applyGate(text: string): Promise<GateEdit>;
  /** Resolves when all processes have ended. */
  stop(): Promise<void>;
}

/** The last line of a model's first words. */
const MODEL_SAYS = /curl (http\S+)\/sim\/stats\n/;
/** The last lines of a gate's first words, which an empty line ends. */
const GATE_SAYS = /curl (http\S+)\/proxy\/stats.*\n(?: +admin +curl (http\S+)\/api\/v1\/status\n)?\n/;

/** Starts all of it. Rejects, with nothing left running, where a part does not start: with its words. */
export async function startStage(options: StageOptions): Promise<Stage> {
  await mkdir(options.folder, { recursive: true });
  const stage = new ProcessStage(options);
  try {
    await stage.start();
    return stage;
  } catch (error) {
    await stage.stop();
    throw error;
  }
}

class ProcessStage implements Stage {
  readonly #options: StageOptions;
  readonly #children: Child[] = [];
  readonly #file: GateFile;
  #gate: Child | undefined;
  #isUp = false;
  #modelUrl = "";
  #gateUrl: string | undefined;
  #adminUrl: string | undefined;

  constructor(options: StageOptions) {
    this.#options = options;
    this.#file = new GateFile(join(options.folder, "headgate.yaml"));
  }

  get url(): string {
    return this.#gateUrl ?? this.#modelUrl;
  }

  get modelUrl(): string {
    return this.#modelUrl;
  }

  get adminUrl(): string | undefined {
    return this.#adminUrl;
  }

  async start(): Promise<void> {
    this.#modelUrl = await this.#startModel();
    await this.#startGate();
    this.#isUp = true;
  }

  async applyGate(text: string): Promise<GateEdit> {
    if (this.#gate === undefined) throw new Error("there is no gate to configure");
    return this.#file.apply(text, this.#gate);
  }

  async stop(): Promise<void> {
    // The gate first: a gate whose model is gone has much to say.
    for (const child of this.#children.splice(0).reverse()) await child.stop();
  }

  async #startModel(): Promise<string> {
    const { model, speed } = this.#options;
    if ("url" in model) return model.url;
    const args = ["model", "--port", "0", "--preset", model.preset, "--seed", `${model.seed}`, "--speed", `${speed}`];
    const [url = ""] = await this.#launch("the model", args).said(MODEL_SAYS);
    return url;
  }

  async #startGate(): Promise<void> {
    const { gate, speed } = this.#options;
    if (gate === undefined) return;
    await this.#file.begin(gate(this.#modelUrl));
    this.#gate = this.#launch("the gate", ["serve", "--config", this.#file.path, "--speed", `${speed}`]);
    [this.#gateUrl, this.#adminUrl] = await this.#gate.said(GATE_SAYS);
  }

  #launch(name: string, args: readonly string[]): Child {
    const { launch, folder, clock, onDeath } = this.#options;
    const options: ChildOptions = {
      name,
      logPath: join(folder, `${args[0]}.log`),
      clock,
      // Whoever starts it hears of it by the rejection.
      onDeath: (why) => this.#isUp && onDeath(why),
    };
    const child = new Child(launch(args), options);
    this.#children.push(child);
    return child;
  }
}
