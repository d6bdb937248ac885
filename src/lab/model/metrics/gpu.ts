import type { Ms } from "../../../core/units.ts";

/** The GPU that a preset pretends to have. */
export interface GpuFacts {
  readonly name: string;
  readonly memoryMib: number;
  /** Weights and KV cache; allocated at start, hence constant. */
  readonly usedMib: number;
  readonly idleWatts: number;
  readonly busyWatts: number;
}

/** A GPU under a full batch still pauses between kernels. */
const FULL_LOAD = 0.95;
const AVERAGE_OVER_MS = 2_000;

/** How busy the GPU has been lately: an average that forgets exponentially. */
export class GpuLoad {
  #busy = 0;
  #at: Ms = 0;

  /** Steps must come in the order of their time. */
  stepped(startMs: Ms, endMs: Ms): void {
    if (endMs <= startMs) return;
    this.#move(startMs, 0);
    this.#move(endMs, 1);
  }

  /** 0 to 1, as of `now`. `isStepping`: a step has begun and not ended. */
  read(now: Ms, isStepping: boolean): number {
    return FULL_LOAD * this.#after(now, isStepping ? 1 : 0);
  }

  clear(): void {
    this.#busy = 0;
  }

  #move(to: Ms, target: 0 | 1): void {
    this.#busy = this.#after(to, target);
    this.#at = Math.max(this.#at, to);
  }

  #after(to: Ms, target: 0 | 1): number {
    return target + (this.#busy - target) * Math.exp(-Math.max(0, to - this.#at) / AVERAGE_OVER_MS);
  }
}
