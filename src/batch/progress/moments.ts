/** Sum, mean and spread of any number of values in constant memory (Welford, 1962). */
export class Moments {
  #count = 0;
  #sum = 0;
  #mean = 0;
  #squares = 0;

  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    const off = value - this.#mean;
    this.#mean += off / this.#count;
    this.#squares += off * (value - this.#mean);
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  get mean(): number {
    return this.#mean;
  }

  /** Half the width of the 95 % confidence interval of the mean. Infinite below two values. */
  get halfWidth(): number {
    if (this.#count < 2) return Infinity;
    return studentT(this.#count - 1) * Math.sqrt(this.#squares / (this.#count - 1) / this.#count);
  }
}

/** The 97.5 % quantile of Student's t, within 1 % from 2 degrees of freedom on (Cornish–Fisher expansion). */
function studentT(freedom: number): number {
  if (freedom === 1) return 12.706;
  if (freedom === 2) return 4.303;
  const z = 1.959964;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / freedom + second / freedom ** 2 + third / freedom ** 3;
}
