import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

import type { Ms } from "../../core/units.ts";
import type { Distribution, Percentiles } from "../report/types.ts";

/** A microsecond to a day. Node's HDR histogram takes some 50 kB once something is in it, a coarse one a tenth. */
const HDR = { lowest: 1, highest: 86_400_000_000 } as const;

/** Digits that are kept. */
type Figures = 2 | 3;
const US_PER_MS = 1_000;

/** Times in milliseconds. Takes no memory until the first one. */
export class TimeHistogram {
  readonly #figures: Figures;
  #hdr: RecordableHistogram | undefined;
  /** HDR's own mean is that of its buckets. */
  #sum = 0;

  constructor(figures: Figures = 3) {
    this.#figures = figures;
  }

  get count(): number {
    return this.#hdr?.count ?? 0;
  }

  /** What is not a number did not happen, and is left out. */
  record(value: Ms): void {
    if (Number.isNaN(value)) return;
    this.#hdr ??= createHistogram({ ...HDR, figures: this.#figures });
    this.#hdr.record(Math.min(HDR.highest, Math.max(1, Math.round(value * US_PER_MS))));
    this.#sum += value;
  }

  add(other: TimeHistogram): void {
    if (other.#hdr === undefined) return;
    this.#hdr ??= createHistogram({ ...HDR, figures: this.#figures });
    this.#hdr.add(other.#hdr);
    this.#sum += other.#sum;
  }

  /** `undefined` where nothing was recorded. */
  percentile(percent: number): Ms | undefined {
    return this.#hdr === undefined ? undefined : toMs(this.#hdr.percentile(percent));
  }

  percentiles(): Percentiles {
    const hdr = this.#hdr;
    if (hdr === undefined) return NO_TIMES;
    const at = (percent: number): Ms => toMs(hdr.percentile(percent));
    return {
      count: hdr.count,
      mean: Math.round((this.#sum / hdr.count) * US_PER_MS) / US_PER_MS,
      p50: at(50),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      max: toMs(hdr.max),
    };
  }

  /** The cumulative distribution, finer towards its end. Without repetitions. */
  distribution(): Distribution {
    const hdr = this.#hdr;
    const ms: Ms[] = [];
    const fraction: number[] = [];
    for (const percent of hdr === undefined ? [] : PERCENTS) {
      const value = toMs(hdr?.percentile(percent) ?? 0);
      if (value === ms.at(-1)) fraction[fraction.length - 1] = percent / 100;
      else {
        ms.push(value);
        fraction.push(percent / 100);
      }
    }
    return { ms, fraction };
  }
}

/** Of nothing. */
export const NO_TIMES: Percentiles = { count: 0, mean: null, p50: null, p90: null, p95: null, p99: null, max: null };

/** Every percent, and every tenth of one at the top. */
const PERCENTS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, index) => index + 1),
  ...Array.from({ length: 10 }, (_, index) => 99 + (index + 1) / 10),
];

function toMs(microseconds: number): Ms {
  return microseconds / US_PER_MS;
}
