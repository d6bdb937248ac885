import type { Ms } from "../../core/units.ts";
import { TimeHistogram } from "./histogram.ts";

/** Steps that a chart has at most. */
const MOST_STEPS = 240;
const FIRST_STEP_S = 1;

interface Step {
  readonly ttft: TimeHistogram;
  readonly e2e: TimeHistogram;
}

/** Latency over time, in steps that grow with the run: when there are too many, each two become one. */
export class LatencySteps {
  #stepS = FIRST_STEP_S;
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
    while (seconds > this.#stepS * MOST_STEPS) this.#halve();
  }

  at(index: number): Step | undefined {
    return this.#steps[index];
  }

  #stepAt(at: Ms): Step {
    const second = Math.max(0, Math.floor(at / 1_000));
    this.stretchTo(second + 1);
    const index = Math.floor(second / this.#stepS);
    const step = this.#steps[index] ?? { ttft: new TimeHistogram(), e2e: new TimeHistogram() };
    this.#steps[index] = step;
    return step;
  }

  #halve(): void {
    const halved: (Step | undefined)[] = [];
    for (let index = 0; index < this.#steps.length; index += 2) {
      const first = this.#steps[index];
      const second = this.#steps[index + 1];
      if (first !== undefined && second !== undefined) {
        first.ttft.add(second.ttft);
        first.e2e.add(second.e2e);
      }
      halved.push(first ?? second);
    }
    this.#steps = halved;
    this.#stepS *= 2;
  }
}
