/**
 * A straight line y = base + slope·x, fitted to the points seen of late: each new point takes `FORGETTING` off the weight
 * of all before it. Two fixed points on a line that is given hold the fit where the data says nothing, such as when all
 * points have the same x.
 */
export class Line {
  #weight = 0;
  #x = 0;
  #y = 0;
  #xx = 0;
  #xy = 0;
  readonly #prior: LinePrior;

  constructor(prior: LinePrior) {
    this.#prior = prior;
  }

  /** Adds a point. */
  add(x: number, y: number): void {
    const keep = 1 - FORGETTING;
    this.#weight = this.#weight * keep + 1;
    this.#x = this.#x * keep + x;
    this.#y = this.#y * keep + y;
    this.#xx = this.#xx * keep + x * x;
    this.#xy = this.#xy * keep + x * y;
  }

  /** The line of least squares. */
  fit(): { readonly base: number; readonly slope: number } {
    const { base, slope, far } = this.#prior;
    const farY = base + slope * far;
    const weight = this.#weight + 2 * PRIOR_WEIGHT;
    const x = this.#x + PRIOR_WEIGHT * far;
    const y = this.#y + PRIOR_WEIGHT * (base + farY);
    const xx = this.#xx + PRIOR_WEIGHT * far * far;
    const xy = this.#xy + PRIOR_WEIGHT * far * farY;
    const fitted = (weight * xy - x * y) / (weight * xx - x * x);
    return { base: (y - fitted * x) / weight, slope: fitted };
  }
}

/** The line before any point, held by its points at 0 and at `far`, which is above 0. */
export interface LinePrior {
  readonly base: number;
  readonly slope: number;
  readonly far: number;
}

/** Some fifty points are remembered. */
const FORGETTING = 0.02;

/** Each of the two fixed points, against 1 of a new point. Small, so that a few points outweigh it. */
const PRIOR_WEIGHT = 0.05;
