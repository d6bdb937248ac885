import type { Config } from "../../config/types.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { PresetName } from "../model/presets.ts";
import type { Assertion } from "./assertion.ts";

/** A load test: who asks what of whom, when, and what must hold. Checked and complete. Times are scenario time. */
export interface Scenario {
  readonly name: string;
  /** One or two sentences for `--list` and the report. */
  readonly description: string;
  /** Simulated models to run against, one after the other; each is a side of the report. At least one. */
  readonly models: readonly PresetName[];
  /** What stands in front of the model. `undefined`: nothing. */
  readonly gate: GateSection | undefined;
  /** How many times as fast as the clock it runs, where nobody says otherwise. */
  readonly speed: number;
  /** The stretch of time in which floors, utilisation and the fullest window are judged. */
  readonly windowMs: Ms;
  /** What an answer must meet to be good; `undefined` parts do not count. */
  readonly slo: Slo;
  readonly consumers: readonly LoadConsumer[];
  /** One after the other. At least one. */
  readonly phases: readonly Phase[];
  /** Over the whole run. */
  readonly assertions: readonly Assertion[];
}

/** Bounds on one answer. */
export interface Slo {
  readonly ttftMs: Ms | undefined;
  readonly tpotMs: Ms | undefined;
  readonly e2eMs: Ms | undefined;
}

/** A gate's configuration inside a scenario: that of `headgate.yaml`, with backends and keys filled in by the lab. */
export interface GateSection {
  /** As `headgate.yaml` has it, but that each backend's URL is `BACKEND_PLACEHOLDER`. Plain values. */
  readonly tree: Readonly<Record<string, unknown>>;
  /** The same, judged. Its first deployment is the one that is measured. */
  readonly config: Config;
}

/** Somebody who sends load. */
export interface LoadConsumer {
  readonly name: string;
  /** The API key that it sends. */
  readonly key: string;
}

/** A stretch of the run. */
export interface Phase {
  readonly name: string;
  /** `undefined`: until all its requests are over; then every load in it is finite. */
  readonly durationMs: Ms | undefined;
  readonly loads: readonly PhaseLoad[];
  /** The gate's configuration from the start of this phase on, complete; `undefined`: as before. */
  readonly gate: GateSection | undefined;
  /** Over this phase. */
  readonly assertions: readonly Assertion[];
}

/** What one consumer does in a phase. */
export interface PhaseLoad {
  /** Name of a consumer. */
  readonly consumer: string;
  readonly arrivals: Arrivals;
  /** When it begins, from the start of the phase. */
  readonly fromMs: Ms;
  readonly behaviour: Behaviour;
}

/** When requests are meant to go out. */
export type Arrivals =
  /** Open loop: whatever becomes of the requests before. Burstiness is the shape of the gamma distribution (1 is Poisson, below 1 burstier). */
  | { readonly kind: "constant"; readonly perMinute: number }
  | { readonly kind: "poisson"; readonly perMinute: number }
  | { readonly kind: "gamma"; readonly perMinute: number; readonly burstiness: number }
  /**
   * Closed loop: each worker asks again when its request is over, after `pauseMs`. Several steps run one after the other,
   * each when the one before is done. `requests` per step, of all its workers together; `undefined`: until the phase ends.
   */
  | {
      readonly kind: "workers";
      readonly steps: readonly number[];
      readonly requests: number | undefined;
      readonly pauseMs: Ms;
    }
  /** So many at once; each next burst when the one before is over. */
  | { readonly kind: "burst"; readonly sizes: readonly number[] }
  /** A recorded trace. */
  | { readonly kind: "replay"; readonly requests: readonly TracedRequest[] };

/** One request of a trace. */
export interface TracedRequest {
  /** From the start of the load. Ascending. */
  readonly atMs: Ms;
  readonly inputTokens: Tokens;
  readonly outputTokens: Tokens;
}

/** What requests are like, and how their client takes answers. */
export interface Behaviour {
  readonly api: Api;
  /** The model's name that it asks for; `undefined`: the one that the target serves. */
  readonly model: string | undefined;
  readonly prompt: Lengths;
  /** `max_tokens`; `undefined`: none is sent, and the model ends by itself. */
  readonly output: Lengths | undefined;
  readonly stream: boolean;
  /** How long it waits for the end of an answer, retries included, before it hangs up. `Infinity`: for ever. */
  readonly patienceMs: Ms;
  readonly retry: RetryStyle;
  /** `undefined`: it reads every answer to its end. */
  readonly abort: Abort | undefined;
  /** `new`: each request opens a connection of its own. */
  readonly connection: "kept" | "new";
  /** Further members of the request's body, such as `ignore_eos: true`. */
  readonly body: Readonly<Record<string, unknown>>;
}

export type Api = "chat" | "completions" | "messages";

/**
 * What a client does when it is refused or the connection fails. `none`: gives up. `impatient`: asks again after 50 ms,
 * whatever it was told. `polite`: asks again when it was told to. `sdk`: as the OpenAI and Anthropic SDKs do: twice at most.
 */
export type RetryStyle = "none" | "impatient" | "polite" | "sdk";

/** Clients that hang up on purpose. */
export interface Abort {
  /** Of all requests; 0 to 1. */
  readonly fraction: number;
  /** This long after the request was sent. */
  readonly afterMs: { readonly from: Ms; readonly to: Ms };
}

/** How many tokens. */
export type Lengths =
  /** Each in turn; a single one is a fixed length. */
  | { readonly kind: "turns"; readonly values: readonly Tokens[] }
  | { readonly kind: "uniform"; readonly from: Tokens; readonly to: Tokens }
  /** Log-normal, cut at both ends. `spread` is the standard deviation of the logarithm. */
  | {
      readonly kind: "lognormal";
      readonly median: Tokens;
      readonly spread: number;
      readonly from: Tokens;
      readonly to: Tokens;
    };
