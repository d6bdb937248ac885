import type { Ms } from "../../core/units.ts";
import { TimeHistogram } from "./histogram.ts";

/** Steps that a chart has at most. */
const MOST_STEPS = 240;

/** Seconds, each a multiple of the one before, and most of them parts of a minute: phases begin where steps do. */
const STEPS_S = [1, 5, 10, 30, 60, 300, 600, 3_600] as const;
const LATER_FACTOR = 24;

/** Figures of a chart: nobody sees a hundredth. */
const CHART = 2;

interface Step {
  readonly ttft: TimeHistogram;
  readonly e2e: TimeHistogram;
}

/** Latency over time, in steps that grow with the run: when there are too many, several become one. */
export class LatencySteps {
  #stepS: number = STEPS_S[0];
  #steps: (Step | undefined)[] = [];

  get stepS(): number {
    return this.#stepS;
  }

  record(at: Ms, ttft: Ms, e2e: Ms): void {
    const step = this.#stepAt(at);
    step.ttft.record(ttft);
    step.e2e.record(e2e);
  }

  /** Makes the steps so long that so many seconds fit. */
  stretchTo(seconds: number): void {
    while (seconds > this.#stepS * MOST_STEPS) this.#coarsen();
  }

  at(index: number): Step | undefined {
    return this.#steps[index];
  }

  #stepAt(at: Ms): Step {
    const second = Math.max(0, Math.floor(at / 1_000));
    this.stretchTo(second + 1);
    const index = Math.floor(second / this.#stepS);
    const step = this.#steps[index] ?? { ttft: new TimeHistogram(CHART), e2e: new TimeHistogram(CHART) };
    this.#steps[index] = step;
    return step;
  }

  #coarsen(): void {
    const next = STEPS_S.find((step) => step > this.#stepS) ?? this.#stepS * LATER_FACTOR;
    const factor = next / this.#stepS;
    const fine = this.#steps;
    this.#steps = [];
    for (const [index, step] of fine.entries()) {
      if (step === undefined) continue;
      const coarse = Math.floor(index / factor);
      const known = this.#steps[coarse];
      known?.ttft.add(step.ttft);
      known?.e2e.add(step.e2e);
      this.#steps[coarse] = known ?? step;
    }
    this.#stepS = next;
  }
}
