/*
 * What the published sources say of the same situations, so that a report can stand beside them. Nothing here is measured by
 * us.
 */

/** Rate limits and quota reservations on one gpt-oss-20b: six situations in 17 minutes. */
export interface SharedDeployment {
  readonly title: string;
  /** By the names of our phases for them. */
  readonly situations: readonly { readonly phase: string; readonly load: string; readonly saw: string }[];
  /** Over the whole run. */
  readonly consumers: readonly { readonly name: string; readonly success: number; readonly served: number }[];
  readonly model: {
    readonly gpu: string;
    readonly ttftMs: number;
    readonly itlMs: number;
    readonly concurrent: string;
  };
  /** In the fullest minute. */
  readonly tokens: { readonly input: number; readonly output: number; readonly all: number };
}

export const SHARED_DEPLOYMENT: SharedDeployment = {
  title: "The article on shared deployments, and this run",
  situations: [
    { phase: "steady", load: "~600/min", saw: "100% served, no 429" },
    { phase: "slight overload", load: "~1,200/min", saw: "100% served, burst absorbed" },
    { phase: "heavy overload", load: "~7,200/min", saw: "–" },
    { phase: "extreme overload", load: "~12,000/min", saw: "~1,000 of 20,596/min at peak" },
    { phase: "late joiner", load: "~9,000/min", saw: "agents unaffected, dev in pool" },
    { phase: "reserved only", load: "~7,200/min", saw: "split by reservation" },
  ],
  consumers: [
    { name: "agent-a", success: 0.29, served: 4_172 },
    { name: "agent-b", success: 0.302, served: 4_332 },
    { name: "agent-c", success: 0.289, served: 4_176 },
    { name: "dev", success: 0.289, served: 2_828 },
  ],
  model: { gpu: "91–95%", ttftMs: 35, itlMs: 18, concurrent: "18–22" },
  tokens: { input: 115_939, output: 83_411, all: 199_350 },
};

/** The seven stress tests of a proxy with 5 seats in front of a GPU that wedges at about 10 requests at once, in our order. */
export interface FragileGpu {
  readonly title: string;
  readonly tests: readonly { readonly name: string; readonly served: number; readonly sent: number }[];
  readonly gpuErrors: number;
}

export const FRAGILE_GPU: FragileGpu = {
  title: "The stress tests of the fragile GPU, and this run",
  tests: [
    { name: "concurrency 1–32", served: 60, sent: 60 },
    { name: "bursts of 5–50", served: 65, sent: 85 },
    { name: "large context, 100–3,000 tokens", served: 5, sent: 5 },
    { name: "long generation, up to 2,000 tokens", served: 5, sent: 5 },
    { name: "memory pressure, 4 at once", served: 4, sent: 4 },
    { name: "rapid reconnect", served: 50, sent: 50 },
    { name: "sustained, 5 minutes", served: 21, sent: 21 },
  ],
  gpuErrors: 0,
};

/** Tokens per second by the size of the prompt, and in generation; once with batches of 256, once of 1,024. */
export interface PromptSpeed {
  readonly title: string;
  readonly rows: readonly { readonly phase: string; readonly batch256: number; readonly batch1024: number }[];
}

export const PROMPT_SPEED: PromptSpeed = {
  title: "The table of prompt speeds, and this run (tokens/s)",
  rows: [
    { phase: "500 tokens", batch256: 291, batch1024: 312 },
    { phase: "1000 tokens", batch256: 486, batch1024: 517 },
    { phase: "2000 tokens", batch256: 405, batch1024: 460 },
    { phase: "generation", batch256: 9, batch1024: 9.5 },
  ],
};
